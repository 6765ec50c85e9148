# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; API keys of an organisation go out, or in."""

from __future__ import annotations

from psycopg import errors

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.postgres.connections import Connections, Statement
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.adapters.stores.postgres.schema import known
from lockgate.adapters.stores.refusals import held_already
from lockgate.core.api_key import ApiKey


def api_key(links: Connections, key_id: str) -> ApiKey | None:
    """Return an API key of any organisation; its row shows itself to whoever says its id.

    All is sent in one go, because every call to a server asks for it.
    """
    asked: list[Statement] = [
        ("BEGIN READ ONLY", ()),
        ("SELECT set_config('lockgate.key', %s, true), lockgate.refuse_older(%s)", (key_id, known())),
        ("SELECT body FROM api_keys WHERE id = %s", (key_id,)),
        ("COMMIT", ()),
    ]
    with links.begun(asked) as (_, came):
        rows = came[2].fetchall()
    return unpack(ApiKey, rows[0][0]) if rows else None


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
