# SPDX-License-Identifier: Apache-2.0
"""Connections inside a transaction come in; the raw runs of batches go out, or in.

Those of small batches rest in the control file, which is synchronised for each batch anyway, until some of them are
moved to the file of raw runs at once. That file is committed first, so that what the control file names is somewhere
at every moment; what is in both is the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.adapters.stores import segment
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.batch import Ingested
from lockgate.core.canonical import byte_digest
from lockgate.core.instant import Instant
from lockgate.errors import DataError

# So many are moved at once: to synchronise a second file for each batch takes a fifth of a small one's time.
HELD = 8
# Compressed bytes of a batch that is worth a second synchronisation rather than a second writing.
LARGE = 1 << 17
# Whoever was stopped between the two commits left the same bytes in the file of raw runs, as of a time at which nothing
# was taken; they are as old as the batch that came again, by which they are pruned.
KEEP = "INSERT INTO segments VALUES (?, ?, ?, ?) ON CONFLICT (org, digest) DO UPDATE SET at = excluded.at"
HOLD = KEEP.replace("segments", "held_segments", 1)


class SqliteSegmentsReading(SqliteRowsReading):
    """Raw runs, wherever they rest."""

    def segment(self, digest: str) -> bytes | None:
        """Return the bytes of a batch."""
        key = (self._org, digest)
        row = self._control.execute("SELECT body FROM held_segments WHERE org = ? AND digest = ?", key).fetchone()
        # The control file was looked at first, so that what is moved from it meanwhile is found.
        row = row or self._runs.execute("SELECT body FROM segments WHERE org = ? AND digest = ?", key).fetchone()
        return None if row is None else segment.decompress(row[0])

    def is_segment_sound(self, digest: str) -> bool | None:
        """Say whether the bytes of a batch are its own."""
        try:
            body = self.segment(digest)
        except DataError:
            return False
        return None if body is None else byte_digest(body) == digest

    def segments_before(self, at: Instant, after: tuple[Instant, str], count: int) -> tuple[tuple[Instant, str], ...]:
        """Return raw runs, the oldest first."""
        where, key = "org = ? AND at < ? AND (at, digest) > (?, ?)", (self._org, at, *after, count)
        found: set[tuple[Instant, str]] = set()
        for connection, table in ((self._control, "held_segments"), (self._runs, "segments")):
            sql = f"SELECT at, digest FROM {table} WHERE {where} ORDER BY at, digest LIMIT ?"  # noqa: S608 -- the tables and conditions of this function
            found.update(connection.execute(sql, key))
        return tuple(sorted(found)[:count])


class SqliteSegmentsWriting(SqliteSegmentsReading, SqliteRowsWriting):
    """Raw runs, to be kept or dropped."""

    def drop_segments(self, digests: Iterable[str]) -> None:
        """Drop raw runs."""
        self._begin_runs()
        rows = [(self._org, digest) for digest in digests]
        self._runs.executemany("DELETE FROM segments WHERE org = ? AND digest = ?", rows)
        self._control.executemany("DELETE FROM held_segments WHERE org = ? AND digest = ?", rows)

    def _add_segment(self, ingested: Ingested, body: bytes) -> None:
        row = (self._org, ingested.digest, ingested.at, segment.compress(body))
        if len(row[-1]) >= LARGE or self._is_left(ingested.digest):
            self._begin_runs()
            self._runs.execute(KEEP, row)
            self._change("DELETE FROM held_segments WHERE org = ? AND digest = ?", ingested.digest)
            return
        self._control.execute(HOLD, row)
        if self._rows("SELECT count(*) FROM held_segments WHERE org = ?")[0][0] >= HELD:
            self._begin_runs()
            self._runs.executemany(KEEP, self._rows("SELECT * FROM held_segments WHERE org = ?"))
            self._change("DELETE FROM held_segments WHERE org = ?")

    def _is_left(self, digest: str) -> bool:
        """Say whether the file of raw runs has those of a batch already; beside them others would be of another age."""
        sql = "SELECT 1 FROM segments WHERE org = ? AND digest = ?"
        return self._runs.execute(sql, (self._org, digest)).fetchone() is not None
