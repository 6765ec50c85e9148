# SPDX-License-Identifier: Apache-2.0
"""One sealed bucket comes in as a rollout sees it: where the ramp stood, and the tallies of both arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.canonical import Json, WrittenOnce
from lockgate.core.instant import Instant
from lockgate.core.intake import WHOLE, Slice


class Phase(StrEnum):
    """Whether the weight stood still while the bucket was open."""

    STEADY = "steady"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Arms:
    """The tallies of both releases in one bucket and slice."""

    baseline: Bucket
    candidate: Bucket

    def __add__(self, other: Arms) -> Arms:
        return Arms(self.baseline + other.baseline, self.candidate + other.candidate)


@dataclass(frozen=True, slots=True)
class Assignment:
    """How many units each arm was assigned while the candidate's intended share was `share`."""

    share: float
    candidate: int
    baseline: int


NO_ARMS = Arms(Bucket(), Bucket())
NO_PAIRS = Pairs()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedBucket(WrittenOnce):
    """One slice of time that no longer changes, at one step of one rollout.

    `pairs` is keyed by field and slice; `assignment` is given only where Lockgate sets the split.
    `time`: when its runs began, which an import may bring in any order. `is_earlier`: they ran before the rollout.
    `source` is the digest of the slice of time on the app's spine that this is a view of.
    """

    number: int
    step: int
    arms: Mapping[Slice, Arms]
    phase: Phase = Phase.STEADY
    pairs: Mapping[tuple[str, Slice], Pairs] = field(default_factory=dict)
    assignment: Assignment | None = None
    time: Instant = 0
    source: str | None = None
    is_earlier: bool = False

    def arm(self, part: Slice = WHOLE) -> Arms:
        """Return the tallies of a slice; none is empty."""
        return self.arms.get(part, NO_ARMS)

    def compared(self, settle_s: int) -> SealedBucket:
        """Return what comparisons read of the bucket: where nobody knows which weight was live, its pairs alone.

        Which answer makes a pair, and when, depends on no weight; of the time in which traffic settles nothing is read.
        """
        if self.phase is Phase.STEADY:
            return self
        return replace(self, arms={}, assignment=None, pairs={} if settle_s else self.pairs)

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "number": self.number,
            "step": self.step,
            "phase": self.phase.value,
            "arms": arms_document(self.arms),
            "pairs": pairs_document(self.pairs),
            "assignment": None
            if self.assignment is None
            else [self.assignment.share, self.assignment.candidate, self.assignment.baseline],
            "time": self.time,
            "source": self.source,
            **({"earlier": True} if self.is_earlier else {}),
        }


def arms_document(arms: Mapping[Slice, Arms]) -> Json:
    """Return the JSON form of tallies by slice."""
    ordered = sorted(arms.items(), key=lambda each: each[0])
    return [[_labels(part), both.baseline.written(), both.candidate.written()] for part, both in ordered]


def pairs_document(pairs: Mapping[tuple[str, Slice], Pairs]) -> Json:
    """Return the JSON form of pairs by field and slice."""
    ordered = sorted(pairs.items(), key=lambda each: each[0])
    return [[name, _labels(part), found.document()] for (name, part), found in ordered]


def _labels(part: Slice) -> Json:
    return [list(pair) for pair in part]
