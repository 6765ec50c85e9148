# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what calls of an organisation were answered goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.instant import Instant
from lockgate.core.reply import Reply


class PostgresRepliesReading(PostgresRowsReading):
    """Replies as they are seen by the transaction."""

    def reply(self, key: str) -> Reply | None:
        """Return a reply."""
        return self._one(Reply, "SELECT body FROM replies WHERE org = %s AND key = %s", key)


class PostgresRepliesWriting(PostgresRepliesReading, PostgresRowsWriting):
    """Replies, to be kept."""

    def put_reply(self, reply: Reply) -> None:
        """Keep a reply."""
        sql = (
            "INSERT INTO replies VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (org, key) DO UPDATE SET at = excluded.at, body = excluded.body"
        )
        self._later(sql, reply.key, reply.at, pack(reply))

    def forget_replies(self, before: Instant) -> None:
        """Forget old replies."""
        self._later("DELETE FROM replies WHERE org = %s AND at < %s", before)
