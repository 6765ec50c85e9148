# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout or receipt comes in; whether the buckets of its app are what raw runs add up to goes out.

All buckets of the app are counted, as in a check of the store: imported runs of one time may stand in several of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from lockgate.core.canonical import Json
from lockgate.core.instant import instant_text
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.spine import Cell
from lockgate.operations.intake.recounting import Decode, Recounting
from lockgate.operations.line.reading import RECEIPT, kept_receipt, load
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell
from lockgate.verify import Keys

BATCHES = "batches tallied again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """How many batches were tallied again; where buckets are not what they add up to; and what could not be counted."""

    batches: int
    flaws: tuple[str, ...]
    left: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {"batches": self.batches, "flaws": list(self.flaws), "notRecounted": list(self.left)}


def recounted(name: str, house: House, decode: Decode, tell: Tell) -> Recounted:
    """Count the buckets of a rollout's app again from the raw runs that are kept."""
    with house.store.reading(house.org) as seen:
        check = Check(seen, house.org, Keys(()), tell)
        again = Recounting(check, decode)
        app = _app_of(seen, name)
        _hold(seen, app, again)
        pinned = seen.pinned()
        lost = {digest for digest in list(again.slots) if check.add(_count(check, again, digest, pinned))}
        left = tuple(_uncounted(again, lost))
        check.add(again.flaws())
    others = tuple(sentence for sentence in check.unknown if "whose raw runs are not all kept" not in sentence)
    return Recounted(
        batches=check.counted[BATCHES], flaws=tuple(flaw.sentence for flaw in check.flaws), left=(*left, *others)
    )


def _app_of(seen: Snapshot, name: str) -> str:
    if name.startswith(RECEIPT):
        name = kept_receipt(seen, name).rollout_id
    return load(seen, name)[0].rollout.app


def _hold(seen: Snapshot, name: str, again: Recounting) -> None:
    app = seen.app(name)
    first = 0 if app is None else app.kept_from
    slots = portions(lambda after: seen.slots(name, after, PORTION), lambda slot: slot.number, first - 1)
    for slot in slots:
        cells: tuple[Cell, ...] = seen.cells(name, slot.number, slot.number)
        again.note(name, slot, cells, seen.segments(name, slot.number))


def _count(check: Check, again: Recounting, digest: str, pinned: Collection[str]) -> Iterator[Flaw]:
    """Count a batch again, or yield why that cannot be; what was pruned is no flaw."""
    seen, batch = check.seen, check.seen.ingested(digest)
    if batch is None:
        yield Flaw(Rule.EVIDENCE, f"batch {digest}", "a bucket names it, and it is not kept")
        return
    is_sound, where = seen.is_segment_sound(digest), f"batch {digest}, taken {instant_text(batch.at)}"
    if is_sound:
        yield from again.add(batch)
    elif is_sound is not None:
        yield Flaw(Rule.EVIDENCE, where, "its raw runs cannot be read, or are not the bytes that it is named by")
    elif batch.at >= seen.retention().raw_until or digest in pinned:
        yield Flaw(Rule.EVIDENCE, where, "its raw runs are not there, and were not pruned")


def _uncounted(again: Recounting, lost: set[str]) -> Iterator[str]:
    """Yield, in words, which buckets' raw runs are not all kept; those that follow each other as one."""
    missing = {place: batches for place, batches in again.batches.items() if batches}
    for is_lost, why in ((False, "were pruned"), (True, "are not there, or are not what was taken")):
        places = [place for place, batches in missing.items() if bool(batches & lost) is is_lost]
        for first, last in _ranges([place.time for place in places if not place.is_imported]):
            named, them = (f"bucket {first}", "it") if first == last else (f"buckets {first} to {last}", "them")
            yield f"{named} could not be counted again: raw runs of {them} {why}"
        if imported := sum(place.is_imported for place in places):
            yield f"{imported:,} buckets of imported runs could not be counted again: raw runs of them {why}"


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    if not numbers:
        return
    first = numbers[0]
    for before, after in pairwise([*numbers, numbers[-1] + 2]):
        if after != before + 1:
            yield first, before
            first = after
