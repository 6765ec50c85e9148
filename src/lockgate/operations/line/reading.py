# SPDX-License-Identifier: Apache-2.0
"""A rollout's id comes in; its trial and policy go out, and what it would have read with every sealed bucket in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from lockgate.core.evidence.plan import Plan, plan
from lockgate.core.evidence.progress import Progress, advance, see
from lockgate.core.evidence.window import Sides, span_at
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.spine import Cell, PairCell
from lockgate.core.trial import Trial
from lockgate.core.vault import Receipt
from lockgate.errors import UnknownError, UnsoundError, UsageError
from lockgate.ports.store import Snapshot

# So many buckets are in memory at once, and an ingest never waits for longer than it takes to fold them.
AT_ONCE = 200
# What follows from a policy is kept by its digest, because neither ever changes; so many are kept.
MAX_PLANS = 1_000
_plans: dict[str, Plan] = {}
# How the id of every receipt begins.
RECEIPT = "rcp_"


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Progress with newly sealed buckets in it, their numbers and digests, and whether no more are there."""

    progress: Progress
    buckets: tuple[tuple[int, str], ...]
    is_whole: bool


def load(seen: Snapshot, rollout_id: str) -> tuple[Trial, Policy]:
    """Return a rollout's trial and policy."""
    trial = seen.trial(rollout_id)
    if not rollout_id:
        raise UsageError("the id of the rollout is empty", advice="Did the `create` that should have printed it fail?")
    if trial is None:
        raise UnknownError(f"there is no rollout {rollout_id}", advice="`lockgate list` shows those that there are.")
    return trial, planned(seen, trial.rollout.policy_digest).policy


def planned(seen: Snapshot, digest: str) -> Plan:
    """Return what follows from the policy of a digest."""
    known = _plans.get(digest)
    if known is not None:
        return known
    policy = seen.policy(digest)
    if policy is None or policy.digest() != digest:
        raise UnsoundError(f"the policy {digest} is not in the store", advice="The store is not whole; put it back.")
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    made = _plans[digest] = plan(policy)
    return made


def kept_receipt(seen: Snapshot, name: str) -> Receipt:
    """Return a receipt of the store by its id; UnknownError where there is none."""
    receipt = seen.receipt(name)
    if receipt is None:
        raise UnknownError(f"there is no receipt {name}", advice="`lockgate receipts ROLLOUT` lists a rollout's.")
    return receipt


def receipts_in(seen: Snapshot, series: str) -> tuple[Receipt, ...]:
    """Return the receipts of a rollout, or of what was done to an app, by the id of either."""
    found = seen.receipts(series)
    if not found:
        load(seen, series)
    return found


def read_on(seen: Snapshot, trial: Trial, judged: Plan, now: Instant, held: Sequence[Cell] = ()) -> ReadOn:
    """Return a trial's progress after the next buckets that are over; it reads each once and in order.

    `held`: all cells of slots that this transaction has sealed, which need not be read again.
    """
    rollout, progress = trial.rollout, trial.progress
    after = max(progress.state.last_bucket, trial.spans[0].first - 1)
    found = seen.slots(rollout.app, after, AT_ONCE)
    slots = [slot.as_of(now) for slot in takewhile(lambda slot: slot.is_sealed or slot.is_over(now), found)]
    if not slots:
        return ReadOn(progress, (), is_whole=True)
    cells = _by_slot(held)
    unread = [slot.number for slot in slots if slot.number not in cells]
    if unread:
        cells = _by_slot(seen.cells(rollout.app, unread[0], unread[-1])) | cells
    sides = Sides.of(rollout.baseline, rollout.candidate, judged.policy)
    pairs: dict[int, list[PairCell]] = {}
    for paired in seen.pairs(rollout.app, slots[0].number, slots[-1].number) if sides.paired_fields else ():
        pairs.setdefault(paired.number, []).append(paired)
    buckets = []
    for slot in slots:
        span = span_at(trial.spans, slot.number)
        assert span is not None
        sealed = see(slot, span, cells.get(slot.number, ()), sides, pairs.get(slot.number, ()))
        progress = advance(progress, sealed, judged)
        buckets.append((slot.number, sealed.digest()))
    return ReadOn(progress, tuple(buckets), is_whole=len(slots) < AT_ONCE)


def _by_slot(found: Sequence[Cell]) -> dict[int, list[Cell]]:
    cells: dict[int, list[Cell]] = {}
    for cell in found:
        cells.setdefault(cell.number, []).append(cell)
    return cells


def read_all(seen: Snapshot, trial: Trial, judged: Plan, now: Instant) -> Trial:
    """Return a trial with every bucket that is over in it."""
    while True:
        read = read_on(seen, trial, judged, now)
        trial = replace(trial, progress=read.progress)
        if read.is_whole:
            return trial
