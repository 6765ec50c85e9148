# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; API keys of an organisation go out, or in."""

from __future__ import annotations

import sqlite3

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.refusals import held_already
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.api_key import ApiKey


def api_key(control: sqlite3.Connection, key_id: str) -> ApiKey | None:
    """Return an API key of any organisation."""
    row = control.execute("SELECT body FROM api_keys WHERE id = ?", (key_id,)).fetchone()
    return None if row is None else unpack(ApiKey, row[0])


class SqliteApiKeysReading(SqliteRowsReading):
    """API keys as they were when the transaction began to read."""

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key."""
        return self._one(ApiKey, "SELECT body FROM api_keys WHERE org = ? AND id = ?", key_id)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys."""
        return self._all(ApiKey, "SELECT body FROM api_keys WHERE org = ? ORDER BY rowid")


class SqliteApiKeysWriting(SqliteApiKeysReading, SqliteRowsWriting):
    """API keys, to be kept."""

    def put_api_key(self, key: ApiKey) -> None:
        """Keep a key."""
        sql = "INSERT INTO api_keys VALUES (?, ?, ?) ON CONFLICT (org, id) DO UPDATE SET body = excluded.body"
        try:
            self._change(sql, key.id, pack(key))
        except sqlite3.IntegrityError as error:
            raise held_already("api_keys", key.id) from error
