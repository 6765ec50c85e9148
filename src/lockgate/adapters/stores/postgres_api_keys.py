# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; API keys of an organisation go out, or in."""

from __future__ import annotations

from psycopg import errors

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres_connections import Link
from lockgate.adapters.stores.postgres_rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.adapters.stores.refusals import held_already
from lockgate.core.api_key import ApiKey


def org_of_key(link: Link, key_id: str) -> str | None:
    """Return the organisation that an API key is of; its row shows itself to whoever says its id."""
    with link.pipeline():
        link.execute("SELECT set_config('lockgate.key', %s, true)", (key_id,))
        row = link.execute("SELECT org FROM api_keys WHERE id = %s", (key_id,)).fetchone()
    return None if row is None else str(row[0])


class PostgresApiKeysReading(PostgresRowsReading):
    """API keys as they are seen by the transaction."""

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key."""
        return self._one(ApiKey, "SELECT body FROM api_keys WHERE org = %s AND id = %s", key_id)

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return all keys."""
        return self._all(ApiKey, "SELECT body FROM api_keys WHERE org = %s ORDER BY place")


class PostgresApiKeysWriting(PostgresApiKeysReading, PostgresRowsWriting):
    """API keys, to be kept."""

    def put_api_key(self, key: ApiKey) -> None:
        """Keep a key."""
        sql = "INSERT INTO api_keys VALUES (%s, %s, %s) ON CONFLICT (org, id) DO UPDATE SET body = excluded.body"
        self._has_news = True
        try:
            self._change(sql, key.id, pack(key))
        except errors.UniqueViolation as error:
            raise held_already("api_keys", key.id) from error
