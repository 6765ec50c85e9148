# SPDX-License-Identifier: Apache-2.0
"""A scene comes in; somebody who drops what is old from its store, as a nightly job does, goes out."""

from __future__ import annotations

from lockgate.core.instant import SECOND, Instant
from lockgate.core.retention import Retention
from lockgate.operations.retention.prune import MIN_S, prune
from lockgate.ports.store import Store
from lockgate.testing.actors import Scene

# So short that a schedule outlasts it whenever its clock jumps.
SPANS = Retention(raw_s=MIN_S, buckets_s=2 * MIN_S)


class Pruner:
    """Prunes; who was interrupted begins again at the next step."""

    def __init__(self, name: str, scene: Scene, store: Store) -> None:
        self.name, self._scene, self._store = name, scene, store
        self.buckets = 0
        self._before: Instant = 0

    def step(self) -> str:
        """Drop what is older than it is kept for."""
        scene = self._scene
        if not scene.is_pruned:
            return "keeps everything"
        self._before = scene.house.clock.now() - SPANS.raw_s * SECOND
        self.count()
        gone = prune(scene.house, SPANS)
        self.buckets += gone.buckets
        return f"prunes {gone.raw} batches of raw runs and {gone.buckets} buckets, {gone.pinned} are pinned"

    def count(self) -> None:
        """Count what is there before more of it is dropped: who interrupts may seal a bucket that goes next."""
        with self._store.reading(self._scene.house.org) as seen:
            self._scene.acknowledged.count(seen, self._before)
