# SPDX-License-Identifier: Apache-2.0
"""Tallies of runs come in; buckets that add exactly, whatever the order, go out.

A bucket holds what every policy might ask of its runs: counts, integer sums in micro-units and histogram counts.
It knows no gate, so one spine of buckets serves every rollout of an app.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

from lockgate.core.canonical import Json, Written, WrittenOnce

STATUSES = ("ok", "error", "timeout", "cancelled")


class Tally(Protocol):
    """Anything that a bucket counts and that adds exactly."""

    def __add__(self, other: Self) -> Self: ...

    def document(self) -> Json:
        """Return the JSON form."""


T = TypeVar("T", bound=Tally)


@dataclass(frozen=True, slots=True)
class Events:
    """How many of `n` runs had an event."""

    n: int = 0
    events: int = 0

    def __add__(self, other: Events) -> Events:
        return Events(self.n + other.n, self.events + other.events)

    def document(self) -> Json:
        """Return the JSON form."""
        return [self.n, self.events]


@dataclass(frozen=True, slots=True)
class Values:
    """Numbers of `n` runs: exact sum and sum of squares in micro-units, and counts by histogram bin.

    `excess` is, bin by bin, the exact sum of what the bin's values have above its lower edge,
    so that bins lose nothing of a mean.
    """

    n: int = 0
    total: int = 0
    squares: int = 0
    bins: tuple[tuple[int, int], ...] = ()
    excess: tuple[int, ...] = ()

    def __add__(self, other: Values) -> Values:
        counts = dict(self.bins)
        excess = dict(zip(counts, self.excess, strict=True))
        for (index, count), more in zip(other.bins, other.excess, strict=True):
            counts[index] = counts.get(index, 0) + count
            excess[index] = excess.get(index, 0) + more
        sums = (self.n + other.n, self.total + other.total, self.squares + other.squares)
        if len(counts) == len(self.bins):
            # No bin is new, so that they still stand in order.
            return Values(*sums, tuple(counts.items()), tuple(excess.values()))
        order = sorted(counts)
        bins = zip(order, map(counts.__getitem__, order), strict=True)
        return Values(*sums, tuple(bins), tuple(map(excess.__getitem__, order)))

    @property
    def indices(self) -> tuple[int, ...]:
        """Return the bins that hold a value, rising."""
        return tuple(index for index, _ in self.bins)

    def document(self) -> Json:
        """Return the JSON form; the wide sums are text, because a double would round them."""
        many = len(self.bins)
        held = [0] * (3 * many)
        held[0::3] = [index for index, _ in self.bins]
        held[1::3] = [count for _, count in self.bins]
        held[2::3] = self.excess
        # Bins are most of what is digested, and are written by one call: [[index,count,"excess"],...].
        bins = ('[%d,%d,"%d"],' * many % tuple(held))[:-1]
        return [self.n, str(self.total), str(self.squares), Written(f"[{bins}]")]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Probes answered by both releases: how often the candidate lost, tied and won."""

    losses: int = 0
    ties: int = 0
    wins: int = 0

    def __add__(self, other: Pairs) -> Pairs:
        return Pairs(self.losses + other.losses, self.ties + other.ties, self.wins + other.wins)

    @property
    def n(self) -> int:
        """Return how many pairs there are."""
        return self.losses + self.ties + self.wins

    def document(self) -> Json:
        """Return the JSON form."""
        return [self.losses, self.ties, self.wins]


@dataclass(frozen=True, slots=True)
class Bucket(WrittenOnce):
    """The tallies of one release (and one slice of labels) in one sealed slice of time.

    `events` holds the shares (`error_rate`, `timeout_rate`, `pass_rate`, each yes/no score by field name),
    `values` the numeric fields; `runs` counts every run, also those that carry neither.
    """

    runs: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, Events] = field(default_factory=dict)
    values: Mapping[str, Values] = field(default_factory=dict)

    def __add__(self, other: Bucket) -> Bucket:
        statuses = {name: self.statuses.get(name, 0) + other.statuses.get(name, 0) for name in STATUSES}
        return Bucket(
            self.runs + other.runs,
            {name: count for name, count in statuses.items() if count},
            _merge(self.events, other.events),
            _merge(self.values, other.values),
        )

    def document(self) -> dict[str, Json]:
        """Return the JSON form that digests and receipts bind."""
        return {
            "runs": self.runs,
            "statuses": dict(self.statuses),
            "events": {name: tally.document() for name, tally in sorted(self.events.items())},
            "values": {name: tally.document() for name, tally in sorted(self.values.items())},
        }


def _merge(mine: Mapping[str, T], theirs: Mapping[str, T]) -> dict[str, T]:
    merged = dict(mine)
    for name, tally in theirs.items():
        merged[name] = merged[name] + tally if name in merged else tally
    return merged
