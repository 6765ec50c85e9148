# SPDX-License-Identifier: Apache-2.0
"""A connection in a transaction comes in; the rows of an organisation that cannot be read go out, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lockgate.adapters.stores.row_checks import REPEATED, ROWS, UNMARKED, strayed, unreadable
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading

_UNMARKED = (
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM id_keys WHERE org = ?)"
    " AND (EXISTS (SELECT 1 FROM id_window WHERE org = ?) OR EXISTS (SELECT 1 FROM strict_ids WHERE org = ?))"
)


class SqliteUnreadable(SqliteRowsReading):
    """The part of a snapshot that names rows that are not what they should be."""

    def unreadable(self) -> tuple[str, ...]:
        """Return, in sentences, which rows cannot be read."""
        return tuple(said for row in ROWS if self._has(row[0]) for said in self._unreadable(*row))

    def _has(self, table: str) -> bool:
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._control.execute(sql, (table,)).fetchone() is not None

    def _unreadable(self, table: str, keys: str, columns: str, read: Callable[..., object]) -> Iterator[str]:
        sql = f"SELECT {keys}, {columns} FROM {table} WHERE org = ?"  # noqa: S608 -- the tables of row_checks
        return unreadable(table, keys.count(",") + 1, read, self._control.execute(sql, (self._org,)))

    def strayed(self) -> tuple[str, ...]:
        """Return rows that are found by something else than they hold: whoever changed one changed what is read."""
        told = [said for table, keys, bodies, held in REPEATED for said in self._strayed(table, keys, bodies, held)]
        return (*told, *([UNMARKED] if self._rows(_UNMARKED, self._org, self._org) else []))

    def _strayed(self, table: str, keys: str, bodies: str, held: Callable[..., tuple[object, ...]]) -> Iterator[str]:
        sql = f"SELECT {keys}, {bodies} FROM {table} WHERE org = ?"  # noqa: S608 -- the tables of row_checks
        return strayed(table, keys.count(",") + 1, held, self._control.execute(sql, (self._org,)))
