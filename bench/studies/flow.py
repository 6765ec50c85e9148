# SPDX-License-Identifier: Apache-2.0
"""Runs per bucket and true error rates come in; how seeded rollouts under the default policy end goes out.

Every rollout goes through the real operations on a store in memory: a batch of runs each minute, split as the rollout
asks, and a tick.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from lockgate.core.rollout import Status
from lockgate.operations.create import Order, create
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store

APP, BASELINE, CANDIDATE = "app", "v1", "v2"
# 5, 25, 50 and 100 % with 30 fresh runs each, one gate on the error rate, because these runs carry nothing else.
DEFAULT = {"mode": "canary"}
# A rollout that has not ended by then counts as holding.
MOST_MINUTES = 1_200
MISSED_AT_MOST, PROMOTED_AT_LEAST = 0.05, 0.92


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Runs of both releases per bucket, and how often runs of each fail; before a step the candidate's as often."""

    runs: int
    baseline: float = 0.05
    candidate: float
    from_step: int = 0

    @property
    def is_harmed(self) -> bool:
        """Say whether the candidate is worse."""
        return self.candidate > self.baseline


@dataclass(frozen=True, slots=True)
class End:
    """How a rollout ended, at which weight that was, and how many candidate runs it had judged."""

    status: Status
    weight: float
    runs: int


FLOWS = tuple(Flow(runs=runs, candidate=candidate) for runs in (40, 400) for candidate in (0.10, 0.05))
# Of harm that begins when a candidate is clean already nothing is promised but that it is looked for.
LATE = tuple(Flow(runs=runs, candidate=0.10, from_step=1) for runs in (40, 400, 4000))


def walked(flow: Flow, seed: int) -> End:
    """Let one rollout walk to its end."""
    here = World(memory_store(), seed)
    rollout = create(Order(app=APP, baseline=BASELINE, candidate=CANDIDATE, policy=DEFAULT), here.house).rollout
    met = rollout
    for _ in range(MOST_MINUTES):
        fails = flow.candidate if rollout.step >= flow.from_step else flow.baseline
        laws = {BASELINE: Law(flow.baseline, latency_ms=None), CANDIDATE: Law(fails, latency_ms=None)}
        [turn] = here.walk(rollout.id, laws, runs=flow.runs, minutes=1)
        met, rollout = turn.transition.before, turn.rollout
        if rollout.is_terminal:
            break
    with here.house.store.reading() as seen:
        trial = seen.trial(rollout.id)
    assert trial is not None
    return End(rollout.status, met.weight, trial.progress.state.candidate_runs)


def study(flow: Flow, rollouts: int, first_seed: int = 0) -> dict[str, Any]:
    """Return how so many rollouts of a flow ended, and whether that is what is promised."""
    ends = [walked(flow, seed) for seed in range(first_seed, first_seed + rollouts)]
    promoted = [end for end in ends if end.status is Status.PROMOTED]
    back = [end for end in ends if end.status is Status.ROLLED_BACK]
    full = len(promoted) / rollouts
    return {
        "runs": flow.runs,
        "baseline": flow.baseline,
        "candidate": flow.candidate,
        "rollouts": rollouts,
        "full": round(full, 4),
        "rolled_back": round(len(back) / rollouts, 4),
        "at_first_step": round(sum(end.weight == 5.0 for end in back) / rollouts, 4),
        "runs_to_full": median(end.runs for end in promoted) if promoted else None,
        "runs_to_rollback": median(end.runs for end in back) if back else None,
        **({"from_step": flow.from_step} if flow.from_step else {"holds": holds(flow, full)}),
    }


def holds(flow: Flow, full: float) -> bool:
    """Say whether as many rollouts reached full exposure as is promised."""
    return full <= MISSED_AT_MOST if flow.is_harmed else full >= PROMOTED_AT_LEAST
