# SPDX-License-Identifier: Apache-2.0
"""Answers that actors got come in; whether a store still holds what they were told goes out in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.rollout import Rollout
from lockgate.ports.store import Snapshot


@dataclass(slots=True)
class Acknowledged:
    """What callers rely on: batches that were taken, and decisions by rollout and seq."""

    sent: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Ingested] = field(default_factory=dict)
    decided: dict[tuple[str, int], int] = field(default_factory=dict)

    def send(self, batch: RunBatch) -> None:
        """Note a batch that is about to be sent; whether it was taken is not known yet."""
        self.sent[batch.digest] = batch.columns.runs

    def take(self, result: Ingested) -> None:
        """Note that a batch was taken."""
        self.taken[result.digest] = result

    def decide(self, rollout: Rollout, receipt: int) -> None:
        """Note where a rollout was said to stand, and its latest receipt."""
        self.decided[rollout.id, receipt] = rollout.revision

    def lost(self, seen: Snapshot) -> Iterator[str]:
        """Yield what a caller was told of, or sent, that the store does not hold exactly once (I7)."""
        for digest in self.taken:
            if seen.ingested(digest) is None or seen.segment(digest) is None:
                yield f"I7: batch {digest} was acknowledged and is gone"
        kept = sum(runs for digest, runs in self.sent.items() if seen.ingested(digest) is not None)
        tallied = _tallied(seen)
        if kept != tallied:
            yield f"I7: the batches that were taken have {kept} runs and the buckets {tallied}"
        for (rollout_id, seq), revision in self.decided.items():
            trial = seen.trial(rollout_id)
            if trial is None or trial.chain.seq < seq or trial.rollout.revision < revision:
                yield f"I7: revision {revision} of {rollout_id} was acknowledged and is gone"


def _tallied(seen: Snapshot) -> int:
    total = 0
    for app in seen.apps():
        last = seen.last_slot(app.name)
        if last is not None:
            total += sum(cell.bucket.runs for cell in seen.cells(app.name, 0, last.number))
    return total
