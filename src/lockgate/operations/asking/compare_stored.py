# SPDX-License-Identifier: Apache-2.0
"""An app's stored buckets and two release names come in; one look at both releases, judged by gates, goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lockgate.core.app import OTHER, UNNAMED_RELEASE
from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.comparison import Comparison, Stored
from lockgate.core.evidence.sealed import NO_ARMS, Arms
from lockgate.core.evidence.window import Sides, arms_of, pairs_of
from lockgate.core.instant import SECOND, Instant, instant_text
from lockgate.core.intake import Intake, Question, Slice
from lockgate.core.spine import Cell, PairCell, Slot
from lockgate.core.wording import count_text, duration_words
from lockgate.errors import DataError
from lockgate.operations.asking.compare import Provenance, Request, declared_policy, judge, question_of
from lockgate.operations.asking.known_app import known_app
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# So many slots are in memory at once.
PORTION = 500
ONE_LOOK = (
    "one look at stored buckets: its error rate does not hold for whoever looks again as they fill; "
    "a rollout's does, however often it looks"
)


@dataclass(frozen=True, slots=True)
class Window:
    """Which stored buckets are read: those of an app whose runs began in the last so many seconds, or all."""

    app: str
    since_s: int | None = None


def compare_stored(request: Request, window: Window, house: House) -> Comparison:
    """Return what one look at stored runs says of the candidate."""
    policy = declared_policy(request)
    question = question_of(request, policy)
    with house.store.reading(house.org) as seen:
        known_app(seen, window.app)
        since = None if window.since_s is None else house.clock.now() - window.since_s * SECOND
        gathered = _Gathered(Sides(question.baseline, question.candidate, question.slices, question.paired_fields))
        for slots in _portions(seen, window.app, since):
            first, last = slots[0].number, slots[-1].number
            pairs = seen.pairs(window.app, first, last) if question.paired_fields else ()
            gathered.add(slots, seen.cells(window.app, first, last), pairs)
        if window.since_s is not None and not gathered.releases:
            raise _nothing_since(seen, window.app, window.since_s)
    stored = gathered.stored(window.app)
    notes = (stored.sentence(), *gathered.notes(question))
    provenance = Provenance(where="in these buckets", stored=stored, notes=notes)
    return judge(request, policy, gathered.intake(question), provenance)


def _nothing_since(seen: Snapshot, app: str, since_s: int) -> DataError:
    """Return that a window is empty, and from when to when runs are kept."""
    ends = [
        (min(slot.time for slot in slots), max(slot.time for slot in slots)) for slots in _portions(seen, app, None)
    ]
    if not ends:
        return DataError(f"no run of {app} is kept", advice="Ingest some first.")
    first, last = (instant_text(each) for each in (min(ends)[0], max(end for _, end in ends)))
    return DataError(
        f"no run of {app} began in the last {duration_words(since_s)}",
        advice=f"Those that are kept began from {first} to {last}: reach further back.",
    )


def _portions(seen: Snapshot, app: str, since: Instant | None) -> Iterator[list[Slot]]:
    """Yield the slots whose runs began since then, some at once, in the order of their numbers."""
    after = -1
    while found := seen.slots(app, after, PORTION):
        after = found[-1].number
        wanted = [slot for slot in found if since is None or slot.time >= since]
        if wanted:
            yield wanted


@dataclass(slots=True)
class _Gathered:
    """What the slots of a window add up to for two releases."""

    sides: Sides
    arms: dict[Slice, Arms] = field(default_factory=dict)
    pairs: dict[tuple[str, Slice], Pairs] = field(default_factory=dict)
    releases: Counter[str] = field(default_factory=Counter)
    labels: set[str] = field(default_factory=set)
    slots: list[Slot] = field(default_factory=list)
    unplaced: int = 0

    def add(self, slots: Sequence[Slot], cells: Sequence[Cell], pairs: Sequence[PairCell]) -> None:
        """Add the cells of some slots; those of other slots between them are left out."""
        numbers = {slot.number for slot in slots}
        mine = [cell for cell in cells if cell.number in numbers]
        paired = [cell for cell in pairs if cell.number in numbers]
        for part, both in arms_of(mine, self.sides).items():
            self.arms[part] = self.arms.get(part, NO_ARMS) + both
        for key, found in pairs_of(paired, self.sides).items():
            self.pairs[key] = self.pairs.get(key, Pairs()) + found
        for cell in mine:
            if cell.release != UNNAMED_RELEASE:
                self.releases[cell.release] += cell.bucket.runs
            self.labels.update(name for name, _ in cell.labels)
            is_compared = cell.release in (self.sides.baseline, self.sides.candidate)
            self.unplaced += cell.bucket.runs if cell.labels == OTHER and is_compared else 0
        self.slots += slots

    def intake(self, question: Question) -> Intake:
        """Return what was read as reading files gives it."""
        buckets: dict[tuple[str, Slice], Bucket] = {}
        for part, both in self.arms.items():
            buckets[question.candidate, part] = both.candidate
            buckets[question.baseline, part] = both.baseline
        return Intake(
            buckets=buckets,
            pairs={
                (name, part): self.pairs.get((name, part), Pairs())
                for name in question.paired_fields
                for part in question.slices
            },
            releases=self.releases,
            labels=frozenset(name for name in self.labels if name),
        )

    def stored(self, app: str) -> Stored:
        """Return which buckets were read."""
        ends = [slot.time + slot.seals_at - slot.opened_at for slot in self.slots]
        return Stored(
            app=app,
            buckets=len(self.slots),
            first=min((slot.time for slot in self.slots), default=None),
            last=max(ends, default=None),
            unsealed=sum(not slot.is_sealed for slot in self.slots),
        )

    def notes(self, question: Question) -> tuple[str, ...]:
        """Return what a reader should know of stored buckets."""
        if not self.unplaced or len(question.slices) < 2:
            return (ONE_LOOK,)
        lost = count_text(self.unplaced, "run")
        return (ONE_LOOK, f"{lost} in the whole and in no slice, because their labels found no room")
