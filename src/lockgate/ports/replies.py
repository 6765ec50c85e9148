# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds what calls were answered comes in by idempotency key; replies go out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.instant import Instant
from lockgate.core.reply import Reply


class RepliesReading(Protocol):
    """Replies, as they were at one moment."""

    def reply(self, key: str) -> Reply | None:
        """Return what a call was answered.

        Inside a transaction that writes, who asks for a key first keeps others who ask for it waiting until the end.
        """


class RepliesWriting(RepliesReading, Protocol):
    """Replies, to be kept."""

    def put_reply(self, reply: Reply) -> None:
        """Keep a reply; one of the same key is kept as it is now."""

    def forget_replies(self, before: Instant) -> None:
        """Forget replies that are older than a moment."""
