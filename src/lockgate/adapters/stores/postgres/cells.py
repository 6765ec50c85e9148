# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; the cells of an organisation's slots go out, or in.

What batches add is kept beside the cells, a row for each batch, and of each so many rows one is made: as in SQLite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from lockgate.adapters.stores.cell_rows import FAN, packed_labels, read_cell, read_counts, tallies_row, with_tallies
from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.ahead import Ahead
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.adapters.stores.tallies_packing import names_of, unpack_tallies
from lockgate.core.spine import Cell
from lockgate.core.tallies import Tallies, add_up

_ADD = "INSERT INTO tallies (org, app, number, level, runs, body) VALUES (%s, %s, %s, %s, %s, %s)"
_CELLS = (
    "SELECT number, release, labels, body FROM cells WHERE org = %s AND app = %s AND number BETWEEN %s AND %s"
    " ORDER BY number, release, labels"
)
_TALLIES = "SELECT number, body FROM tallies WHERE org = %s AND app = %s AND number BETWEEN %s AND %s ORDER BY number"
_BODIES = "SELECT body FROM tallies WHERE org = %s AND app = %s AND number = %s"


class PostgresCellsReading(PostgresRowsReading):
    """Cells as they are seen by the transaction."""

    def cells(self, app: str, first: int, last: int) -> tuple[Cell, ...]:
        """Return the cells of some slots."""
        key = (self._org, app, first, last)
        kept, added = self._carry_out([(_CELLS, key), (_TALLIES, key)])
        found, rows = [read_cell(*row) for row in kept.fetchall()], added.fetchall()
        return with_tallies(found, [(number, body) for number, body in rows]) if rows else tuple(found)

    def run_counts(self, app: str, number: int) -> Mapping[str, int]:
        """Return how many runs of each release are in a slot."""
        sql = (
            "SELECT release, runs, NULL FROM cells WHERE org = %s AND app = %s AND number = %s"
            " UNION ALL SELECT NULL, NULL, runs FROM tallies WHERE org = %s AND app = %s AND number = %s"
        )
        counted: Counter[str] = Counter()
        for release, runs, added in self._rows(sql, app, number, self._org, app, number):
            counted.update({release: runs} if added is None else read_counts(added))
        return counted


class PostgresCellsWriting(PostgresCellsReading, PostgresRowsWriting):
    """Cells of open slots, to be kept."""

    _ahead: Ahead

    def run_counts(self, app: str, number: int) -> Mapping[str, int]:
        """Return how many runs of each release are in a slot."""
        counted = self._ahead.counted.get((app, number))
        return super().run_counts(app, number) if counted is None else counted.runs

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells."""
        for number, group in groupby(sorted(cells, key=lambda cell: cell.number), key=lambda cell: cell.number):
            given = {(cell.release, cell.labels): cell for cell in group}
            added = self._rows(_BODIES, app, number)
            if any(name not in given for (body,) in added for name in names_of(body)):
                given = {(cell.release, cell.labels): cell for cell in self.cells(app, number, number)} | given
            if added:
                self._later("DELETE FROM tallies WHERE org = %s AND app = %s AND number = %s", app, number)
            self._write(app, number, list(given.values()))
            self._ahead.counted.pop((app, number), None)

    def add_tallies(self, app: str, number: int, tallies: Tallies) -> None:
        """Add tallies to the cells of a slot."""
        level, key, row = 0, (app, number), tallies_row(tallies)
        counted = self._ahead.counted.get(key)
        if counted is not None:
            counted.runs.update(read_counts(row[0]))
            counted.rows[0] += 1
        self._later(_ADD, *key, level, *row)
        while (self._rows_of_level(*key, level) if counted is None else counted.rows[level]) >= FAN:
            rows = self._rows(f"{_BODIES} AND level = %s", *key, level)
            total = tallies_row(add_up([unpack_tallies(body) for (body,) in rows]))
            sql = "DELETE FROM tallies WHERE org = %s AND app = %s AND number = %s AND level = %s"
            self._later(sql, *key, level)
            level += 1
            if counted is not None:
                counted.rows[level - 1], counted.rows[level] = 0, counted.rows[level] + 1
            self._later(_ADD, *key, level, *total)

    def _rows_of_level(self, app: str, number: int, level: int) -> int:
        sql = "SELECT count(*) FROM tallies WHERE org = %s AND app = %s AND number = %s AND level = %s"
        return int(self._rows(sql, app, number, level)[0][0])

    def _write(self, app: str, number: int, cells: list[Cell]) -> None:
        sql = (
            "INSERT INTO cells SELECT %s, %s, %s, * FROM unnest(%s::text[], %s::bytea[], %s::bigint[], %s::bytea[])"
            " ON CONFLICT (org, app, number, release, labels) DO UPDATE SET runs = excluded.runs, body = excluded.body"
        )
        if cells:
            columns = (
                [cell.release for cell in cells],
                [packed_labels(cell.labels) for cell in cells],
                [cell.bucket.runs for cell in cells],
                [pack(cell.bucket) for cell in cells],
            )
            self._later(sql, app, number, *columns)
