# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; bytes that receipts name go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.content import compress, decompress
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.canonical import byte_digest


class PostgresContentsReading(PostgresRowsReading):
    """Contents as they are seen by the transaction."""

    def content(self, digest: str) -> bytes | None:
        """Return the bytes with a digest."""
        rows = self._rows("SELECT body FROM contents WHERE org = %s AND digest = %s", digest)
        return decompress(rows[0][0]) if rows else None

    def content_digests(self, after: str, count: int) -> tuple[str, ...]:
        """Return digests after one."""
        sql = "SELECT digest FROM contents WHERE org = %s AND digest > %s ORDER BY digest LIMIT %s"
        return tuple(digest for (digest,) in self._rows(sql, after, count))


class PostgresContentsWriting(PostgresContentsReading, PostgresRowsWriting):
    """Contents, to be kept."""

    def put_content(self, data: bytes) -> str:
        """Keep bytes."""
        digest = byte_digest(data)
        self._later("INSERT INTO contents VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", digest, compress(data))
        return digest
