# SPDX-License-Identifier: Apache-2.0
"""What releases answered to probes comes in; how often they lost, tied and won, by field and labels, goes out."""

from __future__ import annotations

from collections import defaultdict
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


class PairCounts:
    """Counts pairs of answers to the same probes, by slot, releases and common labels."""

    def __init__(self) -> None:
        self._found: defaultdict[tuple[int, str, str, Slice], dict[str, list[int]]] = defaultdict(dict)

    def add(self, one: Answer, other: Answer, number: int) -> None:
        """Count two releases' answers to one probe in a slot; the release later by name is the one that loses."""
        first, second = (one, other) if one.release < other.release else (other, one)
        counts = self._found[number, first.release, second.release, common(first.labels, second.labels)]
        for field, after in second.badness.items():
            before = first.badness.get(field)
            if before is not None:
                # Losses, ties and wins.
                counts.setdefault(field, [0, 0, 0])[(after <= before) + (after < before)] += 1

    def cells(self) -> tuple[PairCell, ...]:
        """Return what was counted."""
        return tuple(
            PairCell(
                number=number,
                first=first,
                second=second,
                labels=labels,
                pairs={field: Pairs(*counts) for field, counts in sorted(found.items())},
            )
            for (number, first, second, labels), found in self._found.items()
        )


def common(one: Slice, other: Slice) -> Slice:
    """Return the labels that two runs share; of runs whose labels found no room nobody knows."""
    if one == other:
        return one
    return OTHER if OTHER in (one, other) else tuple(label for label in one if label in other)
