# SPDX-License-Identifier: Apache-2.0
"""A connection in a transaction comes in; the rows of an organisation that cannot be read go out, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from lockgate.adapters.stores.row_checks import MAX_TOLD, ROWS, Told, delivery_strayed, rollout_strayed
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading
from lockgate.errors import DataError


class SqliteUnreadable(SqliteRowsReading):
    """The part of a snapshot that names rows that are not what they should be."""

    def unreadable(self) -> tuple[str, ...]:
        """Return, in sentences, which rows cannot be read."""
        return tuple(said for row in ROWS if self._has(row[0]) for said in self._unreadable(*row))

    def _has(self, table: str) -> bool:
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._control.execute(sql, (table,)).fetchone() is not None

    def _unreadable(self, table: str, keys: str, columns: str, read: Callable[..., object]) -> Iterator[str]:
        told, count = 0, keys.count(",") + 1
        sql = f"SELECT {keys}, {columns} FROM {table} WHERE org = ?"  # noqa: S608 -- the tables of this file
        for row in self._control.execute(sql, (self._org,)):
            try:
                read(*row[count:])
            except DataError as error:
                told += 1
                yield f"row {', '.join(map(str, row[:count]))} of {table}: {error.message}"
            if told == MAX_TOLD:
                return

    def strayed(self) -> Iterator[str]:
        """Yield rows that are found by something else than they hold: whoever changed one changed what is read."""
        for told, row in (*self._deliveries(), *self._rollouts()):
            # Rows that cannot be read are told of by whoever reads them.
            with suppress(DataError):
                yield from told(*row)

    def _deliveries(self) -> Iterator[tuple[Told, tuple[object, ...]]]:
        sql = "SELECT message, endpoint, state, body FROM deliveries WHERE org = ?"
        return ((delivery_strayed, row) for row in self._control.execute(sql, (self._org,)))

    def _rollouts(self) -> Iterator[tuple[Told, tuple[object, ...]]]:
        sql = "SELECT rollout, trial, id, app, mode, is_active, revision, weight, turn FROM rollouts WHERE org = ?"
        return ((rollout_strayed, row) for row in self._control.execute(sql, (self._org,)))
