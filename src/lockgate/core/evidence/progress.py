# SPDX-License-Identifier: Apache-2.0
"""What a rollout has read so far and the next slot of its app come in; what it has read afterwards goes out.

The tallies of one arm wait for the other at most an hour: runs further apart did not run together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.sealed import NO_ARMS, Phase, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.evidence.window import Sides, Span, arms_of, assigned, pairs_of
from lockgate.core.instant import HOUR, Instant
from lockgate.core.intake import WHOLE
from lockgate.core.spine import Cell, PairCell, Slot

MAX_WAIT = HOUR


@dataclass(frozen=True, slots=True)
class Waiting:
    """One arm's tallies without the other's: whose, and since when."""

    since: Instant
    is_candidate: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """The folded state, the totals for display, and whether both arms have run together.

    `together` counts the buckets of the rollout that could be compared.
    """

    state: EvidenceState
    totals: Totals = field(default_factory=Totals)
    waiting: Waiting | None = None
    together: int = 0


def begin(plan: Plan) -> Progress:
    """Return the progress before any bucket."""
    return Progress(open_state(plan))


def see(
    progress: Progress, slot: Slot, span: Span, cells: Sequence[Cell], sides: Sides, pairs: Sequence[PairCell] = ()
) -> SealedBucket:
    """Return a sealed slot as a rollout of two releases sees it after what it has read."""
    arms = arms_of(cells, sides)
    return SealedBucket(
        number=slot.number,
        step=span.step,
        arms=arms,
        pairs=pairs_of(pairs, sides),
        phase=span.phase(slot),
        assignment=assigned(slot, span, arms.get(WHOLE, NO_ARMS), sides),
        source=slot.digest,
        is_apart=progress.waiting is not None and slot.time - progress.waiting.since > MAX_WAIT,
    )


def advance(progress: Progress, sealed: SealedBucket, time: Instant, plan: Plan) -> Progress:
    """Return the progress with one more bucket in it, whose runs began at `time`; one read before adds nothing."""
    if sealed.number <= progress.state.last_bucket:
        return progress
    is_entering = sealed.step != progress.state.step
    waiting = None if sealed.is_apart or is_entering else progress.waiting
    met = replace(
        progress,
        state=fold(progress.state, sealed, plan),
        totals=add(progress.totals, sealed, plan.policy),
        waiting=waiting,
    )
    return met if sealed.phase is Phase.TRANSITION else _meet(met, sealed, time)


def _meet(progress: Progress, sealed: SealedBucket, time: Instant) -> Progress:
    whole, waiting = sealed.arm(), progress.waiting
    has_baseline, has_candidate = whole.baseline.runs > 0, whole.candidate.runs > 0
    if not (has_baseline or has_candidate):
        return progress
    is_other = waiting is not None and waiting.is_candidate != has_candidate
    if (has_baseline and has_candidate) or is_other:
        return replace(progress, waiting=None, together=progress.together + 1)
    return progress if waiting is not None else replace(progress, waiting=Waiting(time, has_candidate))
