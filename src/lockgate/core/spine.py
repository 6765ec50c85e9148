# SPDX-License-Identifier: Apache-2.0
"""Times of an app's runs come in; the numbered slices of time that its buckets stand in, its spine, go out.

A slot is one such slice of time. Its number is given when it opens; it alone tells the order, because clocks are set
back: a slot that was opened ahead of the clock counts as opened when that is seen, and is over.
Slots that runs are put into by their own start time (`starts_at`) stand on the same spine as those of live traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.canonical import Json, digest
from lockgate.core.instant import SECOND, Instant, is_ahead
from lockgate.core.intake import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One slice of time on an app's spine; sealed, it has a digest and never changes.

    `starts_at`: the runs' own time, when they were put here by that; None for live traffic.
    """

    number: int
    opened_at: Instant
    seals_at: Instant
    starts_at: Instant | None = None
    sealed_at: Instant | None = None
    digest: str | None = None

    @property
    def is_sealed(self) -> bool:
        """Say whether nothing more comes in."""
        return self.sealed_at is not None

    @property
    def time(self) -> Instant:
        """Return when the runs in it began to run."""
        return self.opened_at if self.starts_at is None else self.starts_at

    def is_over(self, now: Instant) -> bool:
        """Say whether its time is over; nobody waits until a clock is again where it was set back from."""
        return now >= self.seals_at or is_ahead(self.opened_at, now)

    def as_of(self, now: Instant) -> Slot:
        """Return the slot as it is sealed at a moment: not opened ahead of the clock."""
        if self.is_sealed or not is_ahead(self.opened_at, now):
            return self
        return replace(self, opened_at=now, seals_at=now + self.seals_at - self.opened_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The bucket of one release and one combination of labels in one slot; cells of a slot share no run."""

    number: int
    release: str
    labels: Slice
    bucket: Bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCell:
    """Probes that two releases answered, by field: those of one combination of labels that both runs have, in one slot.

    `first` comes before `second` by name, and `second` is the one that loses and wins.
    """

    number: int
    first: str
    second: str
    labels: Slice
    pairs: Mapping[str, Pairs]

    def __add__(self, other: PairCell) -> PairCell:
        names = {*self.pairs, *other.pairs}
        none = Pairs()
        return replace(self, pairs={name: self.pairs.get(name, none) + other.pairs.get(name, none) for name in names})

    def seen_by(self, baseline: str, candidate: str) -> Mapping[str, Pairs]:
        """Return the pairs of two releases as the candidate lost and won them; those of others are none."""
        if (self.first, self.second) == (baseline, candidate):
            return self.pairs
        if (self.first, self.second) == (candidate, baseline):
            return {name: Pairs(found.wins, found.ties, found.losses) for name, found in self.pairs.items()}
        return {}

    def document(self) -> list[Json]:
        """Return the JSON form that a slot's digest binds."""
        pairs: dict[str, Json] = {name: found.document() for name, found in sorted(self.pairs.items())}
        return [self.first, self.second, [list(pair) for pair in self.labels], pairs]


def next_slot(last: Slot | None, width_s: int, now: Instant, starts_at: Instant | None = None) -> Slot:
    """Return the slot that opens after the last one: its number rises, and its time unless the clock was set back."""
    number, before = (0, now) if last is None else (last.number + 1, last.opened_at)
    opened_at = now if is_ahead(before, now) else max(now, before)
    return Slot(number=number, opened_at=opened_at, seals_at=opened_at + width_s * SECOND, starts_at=starts_at)


def seal(
    slot: Slot, cells: Sequence[Cell], segments: Sequence[str], now: Instant, pairs: Sequence[PairCell] = ()
) -> Slot:
    """Return the slot sealed: its digest binds its times, its tallies and pairs, and the raw segments of both."""
    ordered = sorted(cells, key=lambda cell: (cell.release, cell.labels))
    paired = sorted(pairs, key=lambda cell: (cell.first, cell.second, cell.labels))
    slot = slot.as_of(now)
    sealed_at = max(now, slot.opened_at)
    document: dict[str, Json] = {
        "number": slot.number,
        "startsAt": slot.starts_at,
        "openedAt": slot.opened_at,
        "sealsAt": slot.seals_at,
        "sealedAt": sealed_at,
        "cells": [[cell.release, [list(pair) for pair in cell.labels], cell.bucket.written()] for cell in ordered],
        "pairs": [cell.document() for cell in paired],
        "segments": sorted(segments),
    }
    return replace(slot, sealed_at=sealed_at, digest=digest(document))
