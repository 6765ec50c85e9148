# SPDX-License-Identifier: Apache-2.0
"""Slots and batches come in as a check reads them; raw runs are tallied again, and cells that differ go out as flaws.

A place is compared when all its raw runs are still kept; what is held meanwhile is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.dedupe import MAX_WINDOW_S
from lockgate.core.instant import SECOND
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.soundness.recount import Place, Recount, RunName, counted, place_of, uncounted
from lockgate.core.spine import Cell, Slot
from lockgate.errors import LockgateError
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, named_portions

# A body and the app of runs that name none come in, and its runs go out.
Decode = Callable[[bytes, str | None], RunBatch]
# Slots that are held against raw runs at once.
MAX_SLOTS = 50_000
# Runs that did not count and are looked for.
MAX_CLAIMED = 1_000_000


@dataclass(slots=True)
class Recounting:
    """Raw runs being tallied again beside a check."""

    check: Check
    decode: Decode
    recount: Recount = field(default_factory=Recount)
    slots: dict[str, dict[str, list[Slot]]] = field(default_factory=dict)
    batches: dict[Place, set[str]] = field(default_factory=dict)
    beyond: int = 0
    claimed: set[RunName] = field(default_factory=set)

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
        slots = self.slots.pop(batch.digest, {})
        # What has no slot and some runs that counted is of buckets that were pruned.
        body = self.check.seen.segment(batch.digest) if slots or not batch.apps else None
        if body is None:
            return
        try:
            runs = self.decode(body, batch.default_app)
        except LockgateError as error:
            yield Flaw(Rule.EVIDENCE, f"batch {batch.digest}", f"its raw runs are none: {error.message}")
            return
        self.recount.add(runs, batch, slots)
        if len(self.claimed) < MAX_CLAIMED and self._is_reached(batch):
            self.claimed |= uncounted(runs, batch)
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
        if self.claimed:
            yield from self._unexplained()
        if unseen:
            self.check.leave(f"the tallies of {unseen:,} buckets, whose raw runs are not all kept")
        if self.beyond:
            self.check.leave(f"the tallies of {self.beyond:,} buckets beyond the first {MAX_SLOTS:,}")

    def _is_reached(self, batch: Ingested) -> bool:
        """Say whether all raw runs are kept that those of a batch may be known by."""
        gone = self.check.seen.retention().raw_until
        apps = (self.check.seen.app(name) for name in (*batch.apps, *batch.left_out))
        is_strict = any(app is not None and app.dedupe.is_strict for app in apps)
        return gone == 0 or (not is_strict and batch.at - gone >= MAX_WINDOW_S * SECOND)

    def _unexplained(self) -> Iterator[Flaw]:
        """Yield of which releases runs are left out as known already that no run that counted explains."""
        if len(self.claimed) >= MAX_CLAIMED:
            self.check.leave(f"which runs explain those known already, of which there are more than {MAX_CLAIMED:,}")
            return
        releases = {(app, release) for app, release, _ in self.claimed}
        apps, seen = {app for app, _ in releases}, self.check.seen
        for batch in named_portions(lambda after: seen.batches_after(after, PORTION), lambda row: row.digest):
            is_sound = seen.is_segment_sound(batch.digest) if apps.intersection(batch.apps) else None
            if is_sound is None:
                continue
            if not is_sound:
                # The batch was told as a flaw; whom its runs explain nobody can say.
                self.check.leave("which runs explain those known already, because raw runs that may are damaged")
                return
            body = seen.segment(batch.digest)
            assert body is not None
            self.claimed -= counted(self.decode(body, batch.default_app), batch, releases)
        for app, release in sorted({(app, release) for app, release, _ in self.claimed}):
            what = f"runs of {release} are left out as known already, and no run that counted has their ids"
            yield Flaw(Rule.EVIDENCE, app, what)
