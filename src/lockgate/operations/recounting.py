# SPDX-License-Identifier: Apache-2.0
"""Slots and batches come in as a check reads them; raw runs are tallied again, and cells that differ go out as flaws.

A place is compared when all its raw runs are still kept; what is held meanwhile is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.soundness.recount import Place, Recount, place_of
from lockgate.core.spine import Cell, Slot
from lockgate.errors import LockgateError
from lockgate.operations.checking import Check

# A body and the app of runs that name none come in, and its runs go out.
Decode = Callable[[bytes, str | None], RunBatch]
# Slots that are held against raw runs at once.
MAX_SLOTS = 50_000


@dataclass(slots=True)
class Recounting:
    """Raw runs being tallied again beside a check."""

    check: Check
    decode: Decode
    recount: Recount = field(default_factory=Recount)
    slots: dict[str, dict[str, list[Slot]]] = field(default_factory=dict)
    batches: dict[Place, set[str]] = field(default_factory=dict)
    beyond: int = 0

    def note(self, app: str, slot: Slot, cells: Sequence[Cell], batches: Sequence[str]) -> None:
        """Hold a slot and its cells until its batches were seen."""
        place = place_of(app, slot)
        if place not in self.batches and len(self.batches) >= MAX_SLOTS:
            self.beyond += 1
            return
        self.recount.hold(app, slot, cells)
        self.batches.setdefault(place, set()).update(batches)
        for digest in batches:
            self.slots.setdefault(digest, {}).setdefault(app, []).append(slot)

    def add(self, batch: Ingested) -> Iterator[Flaw]:
        """Tally the raw runs of a batch that is kept and sound again."""
        slots = self.slots.pop(batch.digest, None)
        body = None if slots is None else self.check.seen.segment(batch.digest)
        if slots is None or body is None:
            return
        try:
            runs = self.decode(body, batch.default_app)
        except LockgateError as error:
            yield Flaw(Rule.EVIDENCE, f"batch {batch.digest}", f"its raw runs are none: {error.message}")
            return
        self.recount.add(runs, batch, slots)
        for app, named in slots.items():
            for slot in named:
                self.batches[place_of(app, slot)].discard(batch.digest)
        self.check.count("batches tallied again")

    def flaws(self) -> Iterator[Flaw]:
        """Yield where cells are not what their raw runs add up to, and say what could not be compared."""
        unseen = 0
        for place, missing in self.batches.items():
            if missing:
                unseen += 1
                continue
            time = f"bucket {place.time}" if not place.is_imported else f"buckets of runs from {place.time} on"
            for what in self.recount.flaws(place):
                yield Flaw(Rule.EVIDENCE, place.app, f"{time}: {what}")
        if unseen:
            self.check.leave(f"the tallies of {unseen:,} buckets, whose raw runs are not all kept")
        if self.beyond:
            self.check.leave(f"the tallies of {self.beyond:,} buckets beyond the first {MAX_SLOTS:,}")
