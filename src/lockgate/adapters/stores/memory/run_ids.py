# SPDX-License-Identifier: Apache-2.0
"""Marks of run ids come in to be kept in tables of memory; which are known goes out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import numpy as np

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.dedupe import KEY_BYTES, MAX_IDS, Dedupe, Marks
from lockgate.core.instant import SECOND, Instant
from lockgate.core.summary import Mask


class MemoryRunIdsReading(MemoryTablesReading):
    """How many runs did not count."""

    __slots__ = ()

    def left_out(self, app: str, release: str) -> int:
        """Return how many runs of a release did not count."""
        return int(self._table("left out", app).get(release, 0))


class MemoryRunIds(MemoryTablesWriting):
    """The part of a transaction that knows runs by their ids."""

    __slots__ = ()

    def id_key(self) -> bytes:
        """Return the secret of marks."""
        key: bytes = self._writable("id key").setdefault("", secrets.token_bytes(KEY_BYTES))
        return key

    def known_ids(self, app: str, marks: Marks, dedupe: Dedupe, now: Instant) -> Mask:
        """Say which marks are known."""
        if dedupe.is_strict:
            known = self._writable("strict ids", app)
            return np.array([mark in known for mark in marks.tolist()], np.bool_)
        rows: dict[int, tuple[Instant, Marks]] = self._writable("id window", app)
        size = sum(kept.size for _, kept in rows.values())
        for place, (at, kept) in list(rows.items()):
            if at >= now - dedupe.window_s * SECOND and size - kept.size < MAX_IDS:
                break
            size -= kept.size
            del rows[place]
        return np.isin(marks, np.concatenate([np.zeros(0, np.int64), *(kept for _, kept in rows.values())]))

    def add_ids(self, app: str, digest: str, marks: Marks, dedupe: Dedupe, now: Instant) -> None:  # noqa: ARG002 -- it keeps no batches beside their ids
        """Keep marks."""
        if dedupe.is_strict:
            self._writable("strict ids", app).update(dict.fromkeys(marks.tolist(), now))
            return
        rows = self._writable("id window", app)
        rows[next(reversed(rows), 0) + 1] = (now, marks)

    def add_left_out(self, app: str, runs: Mapping[str, int]) -> None:
        """Add to how many did not count."""
        held = self._writable("left out", app)
        for release, count in runs.items():
            held[release] = held.get(release, 0) + count

    def keep_ids(self, app: str) -> None:
        """Keep the marks of the window strictly."""
        rows = self._writable("id window", app)
        for at, marks in rows.values():
            self._writable("strict ids", app).update(dict.fromkeys(marks.tolist(), at))
        rows.clear()
