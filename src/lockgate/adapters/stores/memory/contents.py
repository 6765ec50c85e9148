# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; bytes that receipts name go out, or in."""

from __future__ import annotations

from itertools import islice

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.canonical import byte_digest

TABLE = "contents"


class MemoryContentsReading(MemoryTablesReading):
    """Contents in tables that nobody writes to."""

    __slots__ = ()

    def content(self, digest: str) -> bytes | None:
        """Return the bytes with a digest."""
        return self._table(TABLE).get(digest)

    def content_digests(self, after: str, count: int) -> tuple[str, ...]:
        """Return digests after one."""
        return tuple(islice((digest for digest in sorted(self._table(TABLE)) if digest > after), count))


class MemoryContentsWriting(MemoryContentsReading, MemoryTablesWriting):
    """Contents in tables of a transaction's own."""

    __slots__ = ()

    def put_content(self, data: bytes) -> str:
        """Keep bytes."""
        digest = byte_digest(data)
        self._writable(TABLE).setdefault(digest, data)
        return digest
