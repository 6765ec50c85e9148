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

import msgspec

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.refusals import sealed_already
from lockgate.adapters.stores.tallies_packing import names_of, pack_tallies, unpack_tallies
from lockgate.core.bucket import Bucket
from lockgate.core.intake import Slice
from lockgate.core.spine import Cell
from lockgate.core.tallies import Tallies, add_up
from lockgate.errors import UnsoundError

# So many rows of one level become one of the next.
FAN = 16
_COUNTS = msgspec.msgpack.Decoder(dict[str, int])
_LABELS = msgspec.msgpack.Decoder(tuple[tuple[str, str], ...])
_SLOT = "org = ? AND app = ? AND number = ?"


def read_cell(number: int, release: str, labels: bytes, body: bytes) -> Cell:
    """Return the cell that a row is."""
    try:
        return Cell(number=number, release=release, labels=_LABELS.decode(labels), bucket=unpack(Bucket, body))
    except msgspec.MsgspecError as error:
        raise _unread(f"the labels of {release} in bucket {number}", error) from error


def read_counts(runs: bytes) -> Mapping[str, int]:
    """Return the runs of each release that a row counts."""
    try:
        return _COUNTS.decode(runs)
    except msgspec.MsgspecError as error:
        raise _unread("the runs of tallies", error) from error


def _unread(what: str, error: Exception) -> UnsoundError:
    return UnsoundError(f"{what} in the store cannot be read: {error}", advice="The store is not whole; put it back.")


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
        return _with_tallies(found, rows) if rows else tuple(found)

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
            self._control.execute("INSERT INTO tallies VALUES (NULL, ?, ?, ?, 0, ?, ?)", (*key, *_row(tallies)))
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, number) from error
        where = f"{_SLOT} AND level = ?"
        while self._control.execute(f"SELECT count(*) FROM tallies WHERE {where}", (*key, level)).fetchone()[0] >= FAN:  # noqa: S608 -- the conditions of this file
            rows = self._control.execute(f"SELECT body FROM tallies WHERE {where}", (*key, level)).fetchall()  # noqa: S608 -- the conditions of this file
            total = _row(add_up([unpack_tallies(body) for (body,) in rows]))
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
                row = (cell.release, msgspec.msgpack.encode(cell.labels), cell.bucket.runs, pack(cell.bucket))
                self._control.execute(sql, (self._org, app, number, *row))
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, number) from error


def _row(tallies: Tallies) -> tuple[bytes, bytes]:
    """Return runs by release, which are read without the rest, and everything."""
    runs: Counter[str] = Counter()
    for (release, _), of_statuses in zip(tallies.cells, tallies.statuses.tolist(), strict=True):
        runs[release] += sum(of_statuses)
    return msgspec.msgpack.encode(runs), pack_tallies(tallies)


def _with_tallies(cells: list[Cell], rows: list[tuple[int, bytes]]) -> tuple[Cell, ...]:
    """Return cells with what was added to them, in the order in which cells are read."""
    found = {(cell.number, cell.release, cell.labels): cell for cell in cells}
    for number, group in groupby(rows, key=lambda row: row[0]):
        parts = [unpack_tallies(body) for _, body in group]
        total = add_up(parts) if len(parts) > 1 else parts[0]
        for place, (release, labels) in enumerate(total.cells):
            before, bucket = found.get((number, release, labels)), total.bucket(place)
            bucket = bucket if before is None else before.bucket + bucket
            found[number, release, labels] = Cell(number=number, release=release, labels=labels, bucket=bucket)
    return tuple(sorted(found.values(), key=_order))


def _order(cell: Cell) -> tuple[int, str, bytes]:
    return cell.number, cell.release, _packed(cell.labels)


def _packed(labels: Slice) -> bytes:
    return msgspec.msgpack.encode(labels)
