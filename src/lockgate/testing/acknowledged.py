# SPDX-License-Identifier: Apache-2.0
"""Answers that actors got come in; whether a store still holds what they were told goes out in sentences.

What was pruned is counted before it goes, because afterwards nobody could tell it from what was lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from lockgate.core.app import App
from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.instant import Instant
from lockgate.core.intake import WHOLE
from lockgate.core.rollout import Rollout
from lockgate.ports.store import Snapshot

# Every simulated run has a status, so that each answered probe makes a pair in this field.
PAIRED_FIELD = "error_rate"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a batch brings: the runs without an id, the ids of the others, and who answered which probe, by app."""

    app: str
    nameless: int
    ids: frozenset[str]
    answers: frozenset[tuple[str, str]]


@dataclass(slots=True)
class Acknowledged:
    """What callers rely on: batches that were taken, and decisions by rollout and seq."""

    sent: dict[str, Sent] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    taken: dict[str, Ingested] = field(default_factory=dict)
    decided: dict[tuple[str, int], int] = field(default_factory=dict)
    sealed: dict[tuple[str, int], int] = field(default_factory=dict)
    pinned: set[str] = field(default_factory=set)
    # Whether answers to probes were old enough to be forgotten, which `prune` does also while raw runs are pinned.
    is_forgotten: bool = False

    def send(self, batch: RunBatch) -> None:
        """Note a batch that is about to be sent; whether it was taken is not known yet."""
        ids = frozenset(run_id for run_id in batch.ids if run_id is not None)
        answers = zip((batch.groups[place].release for place in batch.group.tolist()), batch.probes, strict=False)
        answered = frozenset((release, probe) for release, probe in answers if probe is not None)
        self.sent[batch.digest] = Sent(batch.groups[0].app, batch.ids.count(None), ids, answered)

    def take(self, result: Ingested) -> None:
        """Note that a batch was taken."""
        self.taken[result.digest] = result

    def decide(self, rollout: Rollout, receipt: int) -> None:
        """Note where a rollout was said to stand, and its latest receipt."""
        self.decided[rollout.id, receipt] = rollout.revision

    def count(self, seen: Snapshot, before: Instant) -> None:
        """Note what is kept and pinned, and how many runs each sealed bucket has, before what is older is pruned."""
        known = {digest: taken for digest in self.sent if (taken := seen.ingested(digest)) is not None}
        self.kept |= known.keys()
        self.is_forgotten |= any(taken.at < before for taken in known.values())
        self.pinned |= {digest for digest in seen.pinned() if seen.segment(digest) is not None}
        for app in seen.apps():
            sealed = {slot.number for slot in seen.slots(app.name) if slot.is_sealed}
            for number, runs in _tallied(seen, app).items():
                if number in sealed:
                    self.sealed[app.name, number] = runs

    def lost(self, seen: Snapshot) -> Iterator[str]:
        """Yield what a caller was told of, or sent, that the store does not hold exactly once (I7)."""
        until = seen.retention().raw_until
        for digest, result in self.taken.items():
            is_gone = seen.ingested(digest) is None or seen.segment(digest) is None
            if is_gone and result.at >= until:
                yield f"I7: batch {digest} was acknowledged and is gone"
        for digest in self.pinned & seen.pinned():
            if seen.ingested(digest) is None or seen.segment(digest) is None:
                yield f"I7: batch {digest} was pinned and is gone"
        self.kept |= {digest for digest in self.sent if seen.ingested(digest) is not None}
        for app in seen.apps():
            yield from self._miscounted(seen, app)
            if not self.is_forgotten:
                yield from self._mispaired(seen, app)
        for (rollout_id, seq), revision in self.decided.items():
            trial = seen.trial(rollout_id)
            if trial is None or trial.chain.seq < seq or trial.rollout.revision < revision:
                yield f"I7: revision {revision} of {rollout_id} was acknowledged and is gone"

    def _of(self, app: App) -> list[Sent]:
        return [self.sent[digest] for digest in self.kept if self.sent[digest].app == app.name]

    def _miscounted(self, seen: Snapshot, app: App) -> Iterator[str]:
        """Yield where buckets have other runs than were taken, each id once; pruned ones count as they were sealed."""
        batches = self._of(app)
        kept = sum(batch.nameless for batch in batches) + len(frozenset[str]().union(*(each.ids for each in batches)))
        tallied = sum(_tallied(seen, app).values())
        pruned = (key for key in self.sealed if key[0] == app.name and key[1] < app.kept_from)
        tallied += sum(self.sealed[key] for key in pruned)
        if kept != tallied:
            yield f"I7: the batches of {app.name} that were taken have {kept} runs and its buckets {tallied}"

    def _mispaired(self, seen: Snapshot, app: App) -> Iterator[str]:
        """Yield where two releases have not exactly one pair for each probe that both answered."""
        probes: dict[str, set[str]] = {}
        for batch in self._of(app):
            for release, probe in batch.answers:
                probes.setdefault(release, set()).add(probe)
        last = seen.last_slot(app.name)
        paired: Counter[tuple[str, str]] = Counter()
        for cell in () if last is None else seen.pairs(app.name, 0, last.number):
            if cell.labels == WHOLE:
                paired[cell.first, cell.second] += cell.pairs[PAIRED_FIELD].n
        for first, second in combinations(sorted(probes), 2):
            both = len(probes[first] & probes[second])
            if paired[first, second] != both:
                yield f"pairs: {first} and {second} answered {both} probes and have {paired[first, second]} pairs"


def _tallied(seen: Snapshot, app: App) -> Counter[int]:
    """Return how many runs the buckets of an app have, by number."""
    last, total = seen.last_slot(app.name), Counter[int]()
    for cell in () if last is None else seen.cells(app.name, app.kept_from, last.number):
        total[cell.number] += cell.bucket.runs
    return total
