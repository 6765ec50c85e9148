# SPDX-License-Identifier: Apache-2.0
"""Raw runs of batches and cells of slots come in; where the runs do not add up to the cells goes out, in words.

What is compared are sums that add up exactly, one set for each app, slice of time and release: counts by status and by
event, and of each field its number, sum, squares and a weighted sum of its bins.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lockgate.core.app import MAX_RELEASES, UNNAMED_RELEASE
from lockgate.core.batch import Ingested, RunBatch, spread
from lockgate.core.bucket import STATUSES, Bucket
from lockgate.core.spine import Cell, Slot
from lockgate.core.summary import ABSENT, Mask, tally

# App, release and id, by which a run that comes again is known.
RunName = tuple[str, str, str | None]
_RUNS = "runs"
_BITS = 64


class Place(NamedTuple):
    """An app and a slice of time: the number of a slot of live runs, or the start of those of imported ones.

    Runs that were imported late may stand in a second slot of one start.
    """

    app: str
    is_imported: bool
    time: int


@dataclass(slots=True)
class Recount:
    """What cells hold more than the raw runs that were seen so far, by place and release.

    `spare` counts runs for a flag that did not count: of which status they were is not written down.
    """

    left: dict[Place, dict[str, Counter[str]]] = field(default_factory=dict)
    spare: dict[Place, Counter[str]] = field(default_factory=dict)

    def hold(self, app: str, slot: Slot, cells: Sequence[Cell]) -> None:
        """Hold a slot's cells against the raw runs that are added."""
        by_release = self.left.setdefault(place_of(app, slot), {})
        for cell in cells:
            by_release.setdefault(cell.release, Counter()).update(_sums(cell.bucket))

    def add(self, batch: RunBatch, ingested: Ingested, slots: Mapping[str, Sequence[Slot]]) -> None:
        """Add the raw runs of a batch that counted, given the slots of each app that name it."""
        whole = spread(batch)
        is_kept = _counted(whole, ingested)
        self._spare(whole, ingested, is_kept, slots)
        places, place = _placed(whole, slots)
        chosen = np.flatnonzero(is_kept & (place >= 0))
        if not chosen.size:
            return
        codes, cell = np.unique(place[chosen] * len(whole.groups) + whole.group[chosen], return_inverse=True)
        names = tuple((str(code), ()) for code in codes.tolist())
        tallies = tally(whole.columns.take_at(chosen), cell, names)
        for bucket, code in zip(tallies.buckets(), codes.tolist(), strict=True):
            at, group = places[code // len(whole.groups)], whole.groups[code % len(whole.groups)]
            if at in self.left:
                self.left[at].setdefault(group.release, Counter()).subtract(_sums(bucket))

    def flaws(self, place: Place) -> Iterator[str]:
        """Yield, in words, where the cells of a place are not what its raw runs add up to."""
        left, spare = self.left[place], self.spare.get(place, Counter())
        if UNNAMED_RELEASE in left:
            if len(left) <= MAX_RELEASES:
                yield f"runs are tallied as if more than {MAX_RELEASES} releases were there"
            whole: Counter[str] = Counter()
            for sums in left.values():
                whole.update(sums)
            left, spare = {"": whole}, Counter({"": spare.total()})
        for release, sums in sorted(left.items()):
            what = _difference(sums, spare[release])
            if what is not None:
                yield f"{f'of {release} ' if release else ''}{what}"

    def _spare(self, whole: RunBatch, ingested: Ingested, is_kept: Mask, slots: Mapping[str, Sequence[Slot]]) -> None:
        for app, releases in ingested.left_out.items():
            known = whole.runs_by(app, ~is_kept)
            for release, count in releases.items():
                for slot in slots.get(app, ()) if count > known.get(release, 0) else ():
                    more = count - known.get(release, 0)
                    self.spare.setdefault(place_of(app, slot), Counter())[release] += more


def uncounted(batch: RunBatch, ingested: Ingested) -> set[RunName]:
    """Return the runs of a batch that did not count for their own app, because they are said to be known already."""
    return _named(batch, np.flatnonzero(~_counted(batch, ingested)))


def counted(batch: RunBatch, ingested: Ingested, of: Container[tuple[str, str]]) -> set[RunName]:
    """Return the runs of a batch that counted, of some apps and releases."""
    is_of = np.array([(each.app, each.release) in of for each in batch.groups], np.bool_)
    named = _named(batch, np.flatnonzero(_counted(batch, ingested) & is_of[batch.group]))
    # A run without id explains no other.
    return {name for name in named if name[2] is not None}


def _named(batch: RunBatch, places: NDArray[np.intp]) -> set[RunName]:
    groups = [batch.groups[index] for index in batch.group[places].tolist()]
    return {(each.app, each.release, batch.ids[place]) for each, place in zip(groups, places.tolist(), strict=True)}


def place_of(app: str, slot: Slot) -> Place:
    """Return where the runs of a slot are compared."""
    return Place(app, slot.starts_at is not None, slot.number if slot.starts_at is None else slot.starts_at)


def _counted(whole: RunBatch, ingested: Ingested) -> Mask:
    """Say which runs counted, as far as that is written down."""
    # Of a batch of no app nothing counted, whatever its bits say.
    is_kept = np.full(whole.columns.runs, bool(ingested.apps))
    if ingested.apps and ingested.uncounted:
        bits = np.unpackbits(np.frombuffer(ingested.uncounted, np.uint8))[: whole.own]
        is_kept[: bits.size] = bits == 0
    return is_kept


def _placed(whole: RunBatch, slots: Mapping[str, Sequence[Slot]]) -> tuple[list[Place], NDArray[np.int64]]:
    """Return places, and for each run the number of its own; -1 where no slot of its app names the batch."""
    places: list[Place] = []
    place = np.full(whole.columns.runs, -1, np.int64)
    apps = np.array([list(slots).index(each.app) if each.app in slots else -1 for each in whole.groups], np.int64)
    owner = apps[whole.group]
    for number, (app, named) in enumerate(slots.items()):
        own = np.flatnonzero(owner == number)
        starts = sorted({slot.starts_at for slot in named if slot.starts_at is not None})
        live = [slot.number for slot in named if slot.starts_at is None]
        begun = whole.started_at[own]
        # Slices of time follow each other in one width, so that a run is in the last that began before it.
        found = np.searchsorted(np.array(starts, np.int64), begun, side="right") - 1
        is_live = (begun == ABSENT) | (found < 0) if starts else np.ones(own.size, np.bool_)
        place[own] = np.where(is_live, len(places) + len(starts) if live else -1, len(places) + found)
        places += [Place(app, True, start) for start in starts]
        places += [Place(app, False, max(live))] if live else []
    return places, place


def _sums(bucket: Bucket) -> dict[str, int]:
    """Return the sums of a bucket, each of which is the sum of those of its parts."""
    found = {_RUNS: bucket.runs, **bucket.statuses}
    for name, events in bucket.events.items():
        found[f"{name} known"], found[f"{name} events"] = events.n, events.events
    for name, values in bucket.values.items():
        found[f"{name} known"], found[f"{name} sum"] = values.n, values.total
        found[f"{name} squares"] = values.squares
        found[f"{name} bins"] = sum(
            _weight(index) * (count + (more << _BITS))
            for (index, count), more in zip(values.bins, values.excess, strict=True)
        )
    return found


@lru_cache(maxsize=100_000)
def _weight(index: int) -> int:
    """Return what a bin's count is multiplied by, so that no move between bins leaves the sum as it was."""
    return int.from_bytes(hashlib.sha256(str(index).encode("ascii")).digest()[: _BITS // 8], "big")


def _difference(left: Counter[str], spare: int) -> str | None:
    """Return, in words, that cells hold other sums than raw runs; None where they may be of these runs."""
    odd = {name: count for name, count in left.items() if count}
    if spare:
        # Cells may hold fewer, but for each status no more, and together no fewer than by those that did not count.
        odd = {name: count for name, count in odd.items() if name in (_RUNS, *STATUSES) and not -spare <= count <= 0}
    if not odd:
        return None
    told = [name for name in (*STATUSES, _RUNS) if name in odd] or sorted(odd)[:1]
    return ", ".join(f"its tallies have {odd[name]:+,} {name} beside its raw runs" for name in told)
