# SPDX-License-Identifier: Apache-2.0
"""The runs of a batch that count come in; they are tallied in one pass, and join the open slots of their apps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lockgate.core.app import MAX_RELEASES, OTHER, UNNAMED_RELEASE, App
from lockgate.core.batch import Group, RunBatch
from lockgate.core.instant import Instant
from lockgate.core.intake import Slice
from lockgate.core.spine import Slot, next_slot
from lockgate.core.summary import ABSENT, Integers, Mask, tally
from lockgate.ports.store import Transaction

# App, number of a slot, release and labels.
Place = tuple[str, int, str, Slice]


@dataclass(slots=True)
class OpenSpine:
    """The open end of an app's spine; `kept` is the app as the store has it, None where it has none.

    `other` counts runs whose labels found no room, `crowded` those whose release did, by whose they are.
    """

    work: Transaction
    app: App
    now: Instant
    kept: App | None = None
    slots: dict[Instant | None, Slot] = field(default_factory=dict)
    other: Counter[Group] = field(default_factory=Counter)
    crowded: Counter[Group] = field(default_factory=Counter)
    _releases: dict[int, set[str]] = field(default_factory=dict)
    _on_trial: frozenset[str] | None = None
    _still_open: dict[Instant | None, Slot] | None = None
    _last: Slot | None = None

    def place(self, group: Group, start: Instant | None, runs: int) -> Place:
        """Return where so many runs are tallied that began in one slice of time."""
        slot = self._slot(start)
        if not self._has_room(slot, group.release):
            self.crowded[group] += runs
            return self.app.name, slot.number, UNNAMED_RELEASE, OTHER
        self.app = self.app.with_slice(group.labels)
        labels = self.app.slice_of(group.labels)
        if labels == OTHER:
            self.other[group] += runs
        return self.app.name, slot.number, group.release, labels

    def _has_room(self, slot: Slot, release: str) -> bool:
        """Say whether a release has tallies of its own in a slot; those on trial and the champions always have."""
        if slot.number not in self._releases:
            self._releases[slot.number] = set(self.work.run_counts(self.app.name, slot.number))
        held = self._releases[slot.number]
        if release not in held and len(held) >= MAX_RELEASES and release not in self._named():
            return False
        held.add(release)
        return True

    def _named(self) -> frozenset[str]:
        if self._on_trial is None:
            active = self.work.rollouts(self.app.name, active=True)
            names = {name for each in active for name in (each.baseline, each.candidate)}
            self._on_trial = frozenset({*names, self.app.champion or "", self.app.former_champion or ""})
        return self._on_trial

    def _slot(self, start: Instant | None) -> Slot:
        if start not in self.slots:
            if self._still_open is None:
                # Once in a transaction, which alone writes: an import may open thousands.
                self._still_open = {each.starts_at: each for each in self.work.open_slots(self.app.name)}
                self._last = self.work.last_slot(self.app.name)
            self.slots[start] = self._still_open.get(start) or self._open(start)
        return self.slots[start]

    def _open(self, start: Instant | None) -> Slot:
        self._last = next_slot(self._last, self.app.bucket_s, self.now, start)
        self._releases[self._last.number] = set()
        self.work.put_slot(self.app.name, self._last)
        return self._last


def add_runs(
    work: Transaction, batch: RunBatch, is_kept: Mask, starts: Integers, spines: Mapping[str, OpenSpine]
) -> list[tuple[str, int]]:
    """Add the runs that are kept to open slots, given when their slices of time start; return app and slot of each."""
    kept = np.flatnonzero(is_kept)
    if not kept.size:
        return []
    columns = batch.columns if kept.size == batch.columns.runs else batch.columns.take_at(kept)
    times, codes = _codes(batch, kept, starts)
    runs = np.bincount(codes)
    found = {}
    for code in np.flatnonzero(runs).tolist():
        time, index = divmod(code, len(batch.groups))
        group, start = batch.groups[index], int(times[time])
        found[code] = spines[group.app].place(group, None if start == ABSENT else start, int(runs[code]))
    places = sorted(set(found.values()))
    numbered = {place: number for number, place in enumerate(places)}
    cell = np.zeros(runs.size, np.int64)
    cell[list(found)] = [numbered[place] for place in found.values()]
    tallies = tally(columns, cell.take(codes), tuple((release, labels) for _, _, release, labels in places))
    slots = list(_runs_of_slots(places))
    for app, number, first, last in slots:
        work.add_tallies(app, number, tallies.cut(first, last))
    return [(app, number) for app, number, _, _ in slots]


def _codes(batch: RunBatch, kept: NDArray[np.intp], starts: Integers) -> tuple[Integers, NDArray[np.intp]]:
    """Return the slices of time in their order, and for each kept run one number for its slice of time and group."""
    group = batch.group if kept.size == batch.group.size else batch.group.take(kept)
    chosen = starts.take(kept)
    if not (chosen != chosen[:1]).any():
        return chosen[:1], group
    times, time = np.unique(chosen, return_inverse=True)
    return times, time * len(batch.groups) + group


def _runs_of_slots(places: Iterable[Place]) -> Iterator[tuple[str, int, int, int]]:
    """Yield app and number of each slot, and from which place to before which other its cells stand."""
    first = 0
    for (app, number), cells in groupby(places, key=lambda place: place[:2]):
        last = first + len(list(cells))
        yield app, number, first, last
        first = last
