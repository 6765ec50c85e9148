# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what calls of an organisation were answered goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres_locks import lock_of
from lockgate.adapters.stores.postgres_rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.instant import Instant
from lockgate.core.reply import Reply


class PostgresRepliesReading(PostgresRowsReading):
    """Replies as they are seen by the transaction."""

    def reply(self, key: str) -> Reply | None:
        """Return a reply."""
        return self._one(Reply, "SELECT body FROM replies WHERE org = %s AND key = %s", key)


class PostgresRepliesWriting(PostgresRepliesReading, PostgresRowsWriting):
    """Replies, to be kept."""

    def reply(self, key: str) -> Reply | None:
        """Return a reply, before anybody else who asks for it while this transaction lasts."""
        # The question is a statement of its own, so that it sees what was kept while it waited.
        self._waiting.append(("SELECT pg_advisory_xact_lock(%s)", (lock_of(self._org, "reply", key),)))
        return super().reply(key)

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
