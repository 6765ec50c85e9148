# SPDX-License-Identifier: Apache-2.0
"""A rollout and its policy come in; what its answers will take, by what is stored of the baseline, goes out."""

from __future__ import annotations

from lockgate.core.evidence.sealed import NO_ARMS
from lockgate.core.evidence.tally import tally
from lockgate.core.evidence.window import Sides, arms_of
from lockgate.core.flow import Flow
from lockgate.core.foresight import ENOUGH_RUNS, Foresight
from lockgate.core.foresight import foresee as foreseen
from lockgate.core.instant import SECOND
from lockgate.core.intake import WHOLE
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.latest import Latest, latest
from lockgate.ports.house import House


def foresee(rollout: Rollout, policy: Policy, house: House) -> Foresight:
    """Return about how many candidate runs a rollout takes, its baseline being as it was lately."""
    with house.store.reading(house.org) as seen:
        there = latest(seen, rollout.app)
    sides = Sides(rollout.baseline, rollout.candidate, tuple(gate.slice for gate in policy.gates))
    arms = arms_of(there.cells, sides)
    found = {gate.id: tally(gate.metric, arms[gate.slice].baseline) for gate in policy.gates if gate.slice in arms}
    measured = {name: each for name, each in found.items() if each is not None}
    runs = arms.get(WHOLE, NO_ARMS).baseline.runs
    parts = {name: each.n / runs for name, each in measured.items() if each.n >= ENOUGH_RUNS}
    return foreseen(policy, measured, Flow(_runs_per_bucket(policy, there), parts))


def _runs_per_bucket(policy: Policy, there: Latest) -> float | None:
    """Return how many runs of all releases a bucket of the policy has; slots without runs are not there."""
    seconds = sum(slot.seals_at - slot.opened_at for slot in there.slots) / SECOND
    runs = sum(cell.bucket.runs for cell in there.cells)
    return runs * policy.bucket_s / seconds if seconds > 0 and runs else None
