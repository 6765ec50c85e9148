# SPDX-License-Identifier: Apache-2.0
"""What a rollout has read so far and the next slot of its app come in; what it has read afterwards goes out.

Each gate waits by itself with what it has read of one arm; here is counted whether the arms' runs met at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lockgate.core.canonical import Json, WrittenOnce
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.sealed import NO_ARMS, Phase, SealedBucket
from lockgate.core.evidence.state import MAX_WAIT, EvidenceState, open_state, plain
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.evidence.window import Sides, Span, arms_of, assigned, pairs_of
from lockgate.core.instant import Instant
from lockgate.core.intake import WHOLE
from lockgate.core.spine import Cell, PairCell, Slot


@dataclass(frozen=True, slots=True)
class Waiting:
    """One arm's tallies without the other's: whose, and since when."""

    since: Instant
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class Progress(WrittenOnce):
    """The folded state, the totals for display, and whether both arms have run together.

    `together` counts the buckets of the rollout that could be compared.
    """

    state: EvidenceState
    totals: Totals = field(default_factory=Totals)
    waiting: Waiting | None = None
    together: int = 0

    def document(self) -> dict[str, Json]:
        """Return the JSON form that receipts bind: nothing else of what was read is judged or decided on."""
        return {
            "state": self.state.document(),
            "totals": self.totals.document(),
            "waiting": plain(self.waiting),
            "together": self.together,
        }


def begin(plan: Plan) -> Progress:
    """Return the progress before any bucket."""
    return Progress(open_state(plan))


def see(slot: Slot, span: Span, cells: Sequence[Cell], sides: Sides, pairs: Sequence[PairCell] = ()) -> SealedBucket:
    """Return a sealed slot as a rollout of two releases sees it."""
    arms = arms_of(cells, sides)
    return SealedBucket(
        number=slot.number,
        step=span.step,
        arms=arms,
        pairs=pairs_of(pairs, sides) if span.holds_pairs(slot) else {},
        phase=span.phase(slot),
        assignment=assigned(slot, span, arms.get(WHOLE, NO_ARMS), sides),
        source=slot.digest,
        time=slot.time,
        is_earlier=span.is_earlier,
    )


def advance(progress: Progress, sealed: SealedBucket, plan: Plan) -> Progress:
    """Return the progress with one more bucket in it; one read before adds nothing."""
    if sealed.number <= progress.state.last_bucket:
        return progress
    met = replace(
        progress,
        state=fold(progress.state, sealed, plan),
        totals=add(progress.totals, sealed, plan.policy),
        waiting=progress.waiting if sealed.step == progress.state.step else None,
    )
    return met if sealed.phase is Phase.TRANSITION else _meet(met, sealed)


def _meet(progress: Progress, sealed: SealedBucket) -> Progress:
    whole, waiting = sealed.arm(), progress.waiting
    has_baseline, has_candidate = whole.baseline.runs > 0, whole.candidate.runs > 0
    if not (has_baseline or has_candidate):
        return progress
    if waiting is not None and abs(sealed.time - waiting.since) > MAX_WAIT:
        waiting = None
    is_other = waiting is not None and waiting.is_candidate != has_candidate
    if (has_baseline and has_candidate) or is_other:
        return replace(progress, waiting=None, together=progress.together + 1)
    return replace(progress, waiting=waiting or Waiting(sealed.time, has_candidate))
