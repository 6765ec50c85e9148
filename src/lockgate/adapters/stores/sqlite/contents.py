# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; bytes that receipts name go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.content import compress, decompress
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.canonical import byte_digest


class SqliteContentsReading(SqliteRowsReading):
    """Contents as they were when the transaction began to read."""

    def content(self, digest: str) -> bytes | None:
        """Return the bytes with a digest."""
        rows = self._rows("SELECT body FROM contents WHERE org = ? AND digest = ?", digest)
        return decompress(rows[0][0]) if rows else None

    def content_digests(self, after: str, count: int) -> tuple[str, ...]:
        """Return digests after one."""
        sql = "SELECT digest FROM contents WHERE org = ? AND digest > ? ORDER BY digest LIMIT ?"
        return tuple(digest for (digest,) in self._rows(sql, after, count))


class SqliteContentsWriting(SqliteContentsReading, SqliteRowsWriting):
    """Contents, to be kept."""

    def put_content(self, data: bytes) -> str:
        """Keep bytes."""
        digest = byte_digest(data)
        self._change("INSERT OR IGNORE INTO contents VALUES (?, ?, ?)", digest, compress(data))
        return digest
