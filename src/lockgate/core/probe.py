# SPDX-License-Identifier: Apache-2.0
"""What releases answered to one probe comes in; how they compare, by field and by the labels of both, goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.app import OTHER
from lockgate.core.bucket import Pairs
from lockgate.core.instant import Instant
from lockgate.core.intake import Slice
from lockgate.core.spine import PairCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The first run of a release that answered a probe: in which slot it is tallied, and how bad it is by field.

    `at` is when it was kept; a larger badness is worse, and a field that the run does not carry is missing.
    """

    probe: str
    release: str
    at: Instant
    slot: int
    labels: Slice
    badness: Mapping[str, int]


def compared(one: Answer, other: Answer, number: int) -> PairCell:
    """Return two releases' answers to one probe as pairs of a slot; the release later by name is the one that loses."""
    first, second = sorted((one, other), key=lambda answer: answer.release)
    return PairCell(
        number=number,
        first=first.release,
        second=second.release,
        labels=common(first.labels, second.labels),
        pairs={
            field: _pair(first.badness[field], second.badness[field])
            for field in sorted(first.badness.keys() & second.badness.keys())
        },
    )


def common(one: Slice, other: Slice) -> Slice:
    """Return the labels that two runs share; of runs whose labels found no room nobody knows."""
    return OTHER if OTHER in (one, other) else tuple(label for label in one if label in other)


def _pair(before: int, after: int) -> Pairs:
    return Pairs(losses=int(after > before), ties=int(after == before), wins=int(after < before))
