# SPDX-License-Identifier: Apache-2.0
"""Runs of a batch that answered probes come in; the pairs that they make with what others answered are tallied.

A pair joins the slot of whichever of its two runs began later, or the open one where that is sealed.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from lockgate.core.app import App
from lockgate.core.batch import RunBatch
from lockgate.core.instant import Instant
from lockgate.core.metric import SHARES
from lockgate.core.probe import Answer, PairCounts
from lockgate.core.spine import PairCell, Slot
from lockgate.core.summary import ABSENT, Mask, badness
from lockgate.ports.store import Transaction

# An answer is compared with those of the releases that rollouts stand on, and with so many of the latest others:
# a probe that every build answers would else be compared with all of them.
LATEST = 8

# The slot that a run, by its position in the batch, is tallied in.
SlotOf = Callable[[int], Slot]


def pair_probes(
    work: Transaction, batch: RunBatch, is_kept: Mask, apps: Mapping[str, App], slot_of: SlotOf, now: Instant
) -> None:
    """Tally the pairs that a batch's runs make; of several runs of one probe in a release the first is paired."""
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, probe in enumerate(batch.probes):
        if probe is not None and is_kept[position]:
            positions[batch.groups[batch.group[position]].app].append(position)
    for name, found in positions.items():
        app = apps[name]
        _pair(work, app, list(_answers(batch, found, app, slot_of, now)))


def _answers(batch: RunBatch, positions: list[int], app: App, slot_of: SlotOf, now: Instant) -> Iterator[Answer]:
    columns = batch.columns.take_at(np.array(positions, np.intp))
    fields = {name: badness(columns, name).tolist() for name in (*SHARES, *columns.values)}
    for place, position in enumerate(positions):
        group = batch.groups[batch.group[position]]
        yield Answer(
            probe=str(batch.probes[position]),
            release=group.release,
            at=now,
            slot=slot_of(position).number,
            labels=app.slice_of(group.labels),
            badness={name: values[place] for name, values in fields.items() if values[place] != ABSENT},
        )


def _pair(work: Transaction, app: App, answers: list[Answer]) -> None:
    """Keep the answers that are the first of their release, and their pairs."""
    trusted = _trusted(work, app)
    releases = trusted.union(answer.release for answer in answers)
    known: defaultdict[str, _Answered] = defaultdict(lambda: _Answered(trusted))
    probes = (answer.probe for answer in answers)
    for each in work.answers(app.name, probes, releases, LATEST + len(trusted)):
        known[each.probe].add(each)
    slots = {slot.number: slot for slot in work.open_slots(app.name)}
    new, counts = [], PairCounts()
    for answer in answers:
        earlier = known[answer.probe]
        if answer.release not in earlier.releases:
            for other in earlier.rivals():
                counts.add(answer, other, _slot(answer, other, slots))
            earlier.add(answer)
            new.append(answer)
    work.add_answers(app.name, new)
    work.put_pairs(app.name, _added(work, app.name, counts.cells()))


def _trusted(work: Transaction, app: App) -> frozenset[str]:
    """Return the releases that somebody may want an answer compared with, however long ago theirs was."""
    stand = {name for each in work.rollouts(app.name, active=True) for name in (each.baseline, each.candidate)}
    return frozenset(stand.union(filter(None, (app.champion, app.former_champion))))


@dataclass(slots=True)
class _Answered:
    """What releases answered to one probe: those that are compared with the next answer, and who they all are."""

    trusted: frozenset[str]
    releases: set[str] = field(default_factory=set)
    kept: dict[str, Answer] = field(default_factory=dict)
    latest: deque[Answer] = field(default_factory=lambda: deque(maxlen=LATEST))

    def add(self, answer: Answer) -> None:
        """Add an answer, which is the latest."""
        self.releases.add(answer.release)
        if answer.release in self.trusted:
            self.kept[answer.release] = answer
        else:
            self.latest.append(answer)

    def rivals(self) -> Iterator[Answer]:
        """Yield the answers that the next one is compared with."""
        yield from self.kept.values()
        yield from self.latest


def _slot(new: Answer, earlier: Answer, slots: Mapping[int, Slot]) -> int:
    mine, theirs = slots[new.slot], slots.get(earlier.slot)
    if theirs is None:
        return mine.number
    return max((mine, theirs), key=lambda slot: (slot.time, slot.number)).number


def _added(work: Transaction, app: str, cells: Iterable[PairCell]) -> Iterator[PairCell]:
    """Yield cells with what is there already of the same slot, releases and labels."""
    there: dict[int, dict[tuple[object, ...], PairCell]] = {}
    for cell in cells:
        if cell.number not in there:
            there[cell.number] = {_key(each): each for each in work.pairs(app, cell.number, cell.number)}
        before = there[cell.number].get(_key(cell))
        yield cell if before is None else before + cell


def _key(cell: PairCell) -> tuple[object, ...]:
    return cell.first, cell.second, cell.labels
