# SPDX-License-Identifier: Apache-2.0
"""A rollout's spans and the cells of a slot come in; the bucket as the rollout sees it goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from lockgate.core.app import OTHER
from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.canonical import Json
from lockgate.core.evidence.sealed import Arms, Assignment, Phase
from lockgate.core.instant import Instant, instant_text, is_ahead
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.metric import Kind
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.spine import Cell, PairCell, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From bucket `first` on, until the next span, a rollout stands at `step`.

    `is_moved`: the weight changed when the span began and nobody acknowledges weights, so that nobody knows what was
    live in its first bucket. `is_awaited`: somebody does, and has not yet. Runs that began before `settles_at` met
    another weight, or traffic that was still settling. `revision` is the rollout's that asked for the weight.
    `began_at`: what a clock said when the span began, where one was asked.
    """

    first: int
    step: int
    is_moved: bool = False
    settles_at: Instant = 0
    began_at: Instant = 0
    is_awaited: bool = False
    revision: int = 0

    @property
    def is_earlier(self) -> bool:
        """Say whether its runs ran before the rollout asked for anything."""
        return self.revision == 0

    def phase(self, slot: Slot) -> Phase:
        """Say whether comparisons may read a bucket of this span."""
        is_unknown = self.is_awaited or (self.is_moved and slot.number == self.first)
        return Phase.TRANSITION if is_unknown or self._is_settling(slot) else Phase.STEADY

    def holds_pairs(self, slot: Slot) -> bool:
        """Say whether the pairs of a bucket are the rollout's: nobody asked for those of before the span began."""
        is_since = slot.starts_at is None or slot.time >= self.began_at
        return self.phase(slot) is Phase.STEADY or (is_since and not self.is_earlier)

    def _is_settling(self, slot: Slot) -> bool:
        # Of live runs the number tells that they came after the span began, also where the clock was set back since.
        is_later = slot.starts_at is None and is_ahead(self.began_at, slot.time)
        return slot.time < self.settles_at and not is_later


@dataclass(frozen=True, slots=True)
class Lookback:
    """Which buckets from before it a rollout reads, since when, and how many attempts had read some of them."""

    since: Instant
    first: int
    last: int
    attempts: int = 0

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        since, buckets = instant_text(self.since), {"first": self.first, "last": self.last}
        return {"since": since, "buckets": buckets, "readByAttempts": self.attempts}


def lookback_of(spans: Sequence[Span], attempts: int = 0) -> Lookback | None:
    """Return what the spans of a rollout begin with from before it; None where that is nothing."""
    first, *others = spans
    if not (first.is_earlier and others):
        return None
    return Lookback(first.settles_at, first.first, others[0].first - 1, attempts)


@dataclass(frozen=True, slots=True)
class Sides:
    """Which releases a rollout compares, the slices of labels that its gates look at, and the fields of paired ones.

    `shares`: of all traffic at each step what the candidate must get, where a policy enforces that.
    """

    baseline: str
    candidate: str
    slices: tuple[Slice, ...]
    paired_fields: tuple[str, ...] = ()
    shares: tuple[float | None, ...] = ()

    @classmethod
    def of(cls, baseline: str, candidate: str, policy: Policy) -> Self:
        """Return what a rollout of two releases under a policy looks at."""
        gates = policy.gates
        paired = dict.fromkeys(gate.metric.field for gate in gates if gate.metric.kind is Kind.PAIRED)
        is_split = policy.enforce_weight and policy.mode is Mode.CANARY
        shares = tuple(step.share if step.is_exposed and 0 < step.share < 1 else None for step in policy.steps)
        slices = tuple(gate.slice for gate in gates)
        return cls(baseline, candidate, slices, tuple(paired), shares if is_split else ())


def span_at(spans: Sequence[Span], number: int) -> Span | None:
    """Return the span that a bucket belongs to; None before the first."""
    return next((span for span in reversed(spans) if span.first <= number), None)


def arms_of(cells: Sequence[Cell], sides: Sides) -> dict[Slice, Arms]:
    """Return the tallies of baseline and candidate by slice; one that no run belongs to is left out."""
    found = {}
    for part in dict.fromkeys((WHOLE, *sides.slices)):
        baseline, candidate = (_tally(cells, release, part) for release in (sides.baseline, sides.candidate))
        if baseline.runs or candidate.runs:
            found[part] = Arms(baseline, candidate)
    return found


def pairs_of(cells: Sequence[PairCell], sides: Sides) -> dict[tuple[str, Slice], Pairs]:
    """Return the pairs of baseline and candidate by field and slice; where there are none, none is named."""
    found: dict[tuple[str, Slice], Pairs] = {}
    for cell in cells:
        pairs = cell.seen_by(sides.baseline, sides.candidate)
        for name in sides.paired_fields:
            for part in dict.fromkeys((WHOLE, *sides.slices)):
                if name in pairs and _belongs(cell.labels, part):
                    found[name, part] = found.get((name, part), Pairs()) + pairs[name]
    return found


def assigned(slot: Slot, span: Span, whole: Arms, sides: Sides) -> Assignment | None:
    """Return how a slot's runs were split while the weight of a step was live; None where nobody asks.

    What was imported, or ran before the rollout asked for a weight, says nothing of it.
    """
    share = sides.shares[span.step] if sides.shares else None
    is_live = slot.starts_at is None and not span.is_earlier and span.phase(slot) is Phase.STEADY
    if share is None or not is_live or not (whole.baseline.runs or whole.candidate.runs):
        return None
    return Assignment(share, whole.candidate.runs, whole.baseline.runs)


def _tally(cells: Sequence[Cell], release: str, part: Slice) -> Bucket:
    total: Bucket | None = None
    for cell in cells:
        if cell.release == release and _belongs(cell.labels, part):
            total = cell.bucket if total is None else total + cell.bucket
    return Bucket() if total is None else total


def _belongs(labels: Slice, part: Slice) -> bool:
    # Runs whose labels found no room are known only as part of the whole.
    return part == WHOLE or (labels != OTHER and set(part) <= set(labels))
