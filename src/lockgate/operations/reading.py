# SPDX-License-Identifier: Apache-2.0
"""A rollout's id comes in; its trial and policy go out, and what it would have read with every sealed bucket in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.progress import Progress, advance, see
from lockgate.core.evidence.window import Sides, span_at
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.spine import Cell
from lockgate.core.trial import Trial
from lockgate.core.vault import Receipt
from lockgate.errors import DataError, UsageError
from lockgate.ports.store import Snapshot


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Progress with newly sealed buckets in it, and their numbers and digests."""

    progress: Progress
    buckets: tuple[tuple[int, str], ...]


def load(seen: Snapshot, rollout_id: str) -> tuple[Trial, Policy]:
    """Return a rollout's trial and policy."""
    trial = seen.trial(rollout_id)
    if trial is None:
        raise UsageError(f"there is no rollout {rollout_id}", advice="`lockgate list` shows those that there are.")
    policy = seen.policy(trial.rollout.policy_digest)
    if policy is None:
        raise DataError(
            f"the policy of {rollout_id} is not in the store", advice="The store is not whole; put it back."
        )
    return trial, policy


def receipts_in(seen: Snapshot, series: str) -> tuple[Receipt, ...]:
    """Return the receipts of a rollout, or of what was done to an app, by the id of either."""
    found = seen.receipts(series)
    if not found:
        load(seen, series)
    return found


def read_on(seen: Snapshot, trial: Trial, plan: Plan, now: Instant) -> ReadOn:
    """Return a trial's progress after all buckets that are over; it reads each once and in order."""
    rollout, progress = trial.rollout, trial.progress
    after = max(progress.state.last_bucket, trial.spans[0].first - 1)
    slots = list(takewhile(lambda slot: slot.is_sealed or slot.is_over(now), seen.slots(rollout.app, after)))
    if not slots:
        return ReadOn(progress, ())
    cells: dict[int, list[Cell]] = {}
    for cell in seen.cells(rollout.app, slots[0].number, slots[-1].number):
        cells.setdefault(cell.number, []).append(cell)
    sides = Sides(rollout.baseline, rollout.candidate, tuple(gate.slice for gate in plan.policy.gates))
    buckets = []
    for slot in slots:
        span = span_at(trial.spans, slot.number)
        assert span is not None
        sealed = see(progress, slot, span, cells.get(slot.number, ()), sides)
        progress = advance(progress, sealed, slot.time, plan)
        buckets.append((slot.number, sealed.digest()))
    return ReadOn(progress, tuple(buckets))
