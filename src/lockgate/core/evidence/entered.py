# SPDX-License-Identifier: Apache-2.0
"""A state and the step that a rollout enters come in; the state at the start of that step goes out.

Going back answers harm that was shown, so that afterwards only new runs may show it again. That costs no error rate:
whatever follows a gate's first false alarm happens only if there was one, which its share of alpha already bounds.
Clause: VE-204.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.evidence.plan import GatePlan, Plan, Role
from lockgate.core.evidence.state import NO_CARRY, EvidenceState, GateState, ShareState, wealth_of
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Policy
from lockgate.core.stats.sequential.wealth import round_evidence, threshold


def enter_step(state: EvidenceState, step: int, plan: Plan) -> EvidenceState:
    """Return the state at the start of a step: the sample-ratio check begins again, and what is fresh.

    Tallies that wait for the other arm are dropped, because a bucket may not span two weights.
    """
    entered = replace(
        state,
        gates=tuple(replace(gate, carry=NO_CARRY, fresh=0, fresh_baseline=0) for gate in state.gates),
        ratio=ShareState(),
        step=step,
        furthest_step=max(step, state.furthest_step),
        fresh_runs=0,
        fresh_baseline_runs=0,
    )
    return _answered(entered, plan) if step < state.step else entered


def is_harmed(gate: GatePlan, state: GateState, policy: Policy) -> bool:
    """Say whether a gate's evidence of harm has reached its level."""
    index = gate.index(Role.HARM)
    assert index is not None
    return float(round_evidence(state.peaks[index])) >= threshold(policy.sequential_alpha, gate.gate.share)


def _answered(state: EvidenceState, plan: Plan) -> EvidenceState:
    """Return the state in which each gate whose breach the way back answers counts harm from nothing again."""
    numbers, gates, row = state.wealth.array().copy(), list(state.gates), 0
    for place, gate in enumerate(plan.gates):
        before = state.gates[place]
        if gate.gate.breach is Breach.REDUCE and is_harmed(gate, before, plan.policy):
            for index, process in enumerate(gate.processes):
                if process.role is Role.HARM:
                    numbers[row + index, : gate.copies(process), : gate.alternatives] = 0.0
            # Its absence keeps its evidence, and has to be beyond its level again: asking for more is always allowed.
            levels = tuple(0.0 if harm else level for harm, level in zip(gate.harm, before.levels, strict=True))
            gates[place] = replace(before, peaks=levels, levels=levels)
        row += len(gate.processes)
    return replace(state, gates=tuple(gates), wealth=wealth_of(numbers))
