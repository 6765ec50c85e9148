# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; the cells of an organisation's slots go out, or in.

What batches add to a slot is kept beside its cells, one row for each batch, and is added up when the cells are read:
to write every cell anew would cost a small batch more than all its runs do. Of each so many rows one is made, and of
each so many of those one again, so that a slot has few of them whatever goes into it. Sealed slots have none.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from lockgate.adapters.stores.cell_rows import FAN, packed_labels, read_cell, read_counts, tallies_row, with_tallies
from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.refusals import sealed_already
from lockgate.adapters.stores.tallies_packing import names_of, unpack_tallies
from lockgate.core.spine import Cell
from lockgate.core.tallies import Tallies, add_up

_SLOT = "org = ? AND app = ? AND number = ?"


class SqliteCellsReading:
    """Cells as they were when the transaction began to read."""

    _control: sqlite3.Connection
    _org: str

    def cells(self, app: str, first: int, last: int) -> tuple[Cell, ...]:
        """Return the cells of some slots."""
        where = "org = ? AND app = ? AND number BETWEEN ? AND ?"
        sql = f"SELECT number, release, labels, body FROM cells WHERE {where} ORDER BY number, release, labels"  # noqa: S608 -- the conditions of this file
        key = (self._org, app, first, last)
        found = [read_cell(*row) for row in self._control.execute(sql, key)]
        rows = self._control.execute(f"SELECT number, body FROM tallies WHERE {where} ORDER BY number", key).fetchall()  # noqa: S608 -- the conditions of this file
        return with_tallies(found, rows) if rows else tuple(found)

    def run_counts(self, app: str, number: int) -> Mapping[str, int]:
        """Return how many runs of each release are in a slot."""
        key = (self._org, app, number)
        counted: Counter[str] = Counter()
        for release, runs in self._control.execute(f"SELECT release, runs FROM cells WHERE {_SLOT}", key):  # noqa: S608 -- the conditions of this file
            counted[release] += runs
        for (runs,) in self._control.execute(f"SELECT runs FROM tallies WHERE {_SLOT}", key):  # noqa: S608 -- the conditions of this file
            counted.update(read_counts(runs))
        return counted


class SqliteCellsWriting(SqliteCellsReading):
    """Cells of open slots, to be kept."""

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells."""
        for number, group in groupby(sorted(cells, key=lambda cell: cell.number), key=lambda cell: cell.number):
            given = {(cell.release, cell.labels): cell for cell in group}
            key = (self._org, app, number)
            added = self._control.execute(f"SELECT body FROM tallies WHERE {_SLOT}", key).fetchall()  # noqa: S608 -- the conditions of this file
            if any(name not in given for (body,) in added for name in names_of(body)):
                given = {(cell.release, cell.labels): cell for cell in self.cells(app, number, number)} | given
            if added:
                self._control.execute(f"DELETE FROM tallies WHERE {_SLOT}", key)  # noqa: S608 -- the conditions of this file
            self._write(app, number, given.values())

    def add_tallies(self, app: str, number: int, tallies: Tallies) -> None:
        """Add tallies to the cells of a slot."""
        level, key = 0, (self._org, app, number)
        try:
            self._control.execute("INSERT INTO tallies VALUES (NULL, ?, ?, ?, 0, ?, ?)", (*key, *tallies_row(tallies)))
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, number) from error
        where = f"{_SLOT} AND level = ?"
        while self._control.execute(f"SELECT count(*) FROM tallies WHERE {where}", (*key, level)).fetchone()[0] >= FAN:  # noqa: S608 -- the conditions of this file
            rows = self._control.execute(f"SELECT body FROM tallies WHERE {where}", (*key, level)).fetchall()  # noqa: S608 -- the conditions of this file
            total = tallies_row(add_up([unpack_tallies(body) for (body,) in rows]))
            self._control.execute(f"DELETE FROM tallies WHERE {where}", (*key, level))  # noqa: S608 -- the conditions of this file
            level += 1
            self._control.execute("INSERT INTO tallies VALUES (NULL, ?, ?, ?, ?, ?, ?)", (*key, level, *total))

    def _write(self, app: str, number: int, cells: Iterable[Cell]) -> None:
        sql = (
            "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET runs = excluded.runs, body = excluded.body"
        )
        try:
            for cell in cells:
                row = (cell.release, packed_labels(cell.labels), cell.bucket.runs, pack(cell.bucket))
                self._control.execute(sql, (self._org, app, number, *row))
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, number) from error
