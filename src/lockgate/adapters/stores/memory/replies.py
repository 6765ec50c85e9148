# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; what calls were answered goes out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.instant import Instant
from lockgate.core.reply import Reply


class MemoryRepliesReading(MemoryTablesReading):
    """Replies in tables that nobody writes to."""

    __slots__ = ()

    def reply(self, key: str) -> Reply | None:
        """Return a reply."""
        return self._table("replies").get(key)


class MemoryRepliesWriting(MemoryRepliesReading, MemoryTablesWriting):
    """Replies in tables of a transaction's own."""

    __slots__ = ()

    def put_reply(self, reply: Reply) -> None:
        """Keep a reply."""
        self._writable("replies")[reply.key] = reply

    def forget_replies(self, before: Instant) -> None:
        """Forget old replies."""
        kept = self._writable("replies")
        for key in [key for key, reply in kept.items() if reply.at < before]:
            del kept[key]
