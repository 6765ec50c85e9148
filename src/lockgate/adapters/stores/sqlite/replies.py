# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what calls of an organisation were answered goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.instant import Instant
from lockgate.core.reply import Reply


class SqliteRepliesReading(SqliteRowsReading):
    """Replies as they were when the transaction began to read."""

    def reply(self, key: str) -> Reply | None:
        """Return a reply."""
        return self._one(Reply, "SELECT body FROM replies WHERE org = ? AND key = ?", key)


class SqliteRepliesWriting(SqliteRepliesReading, SqliteRowsWriting):
    """Replies, to be kept."""

    def put_reply(self, reply: Reply) -> None:
        """Keep a reply."""
        self._change("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", reply.key, reply.at, pack(reply))

    def forget_replies(self, before: Instant) -> None:
        """Forget old replies."""
        self._change("DELETE FROM replies WHERE org = ? AND at < ?", before)
