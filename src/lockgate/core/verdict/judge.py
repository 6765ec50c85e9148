# SPDX-License-Identifier: Apache-2.0
"""Folded evidence and its totals come in; the verdict at a step, by the policy's kind of inference, goes out."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.state import EvidenceState
from lockgate.core.evidence.totals import Cohorts, Totals
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Inference, Policy
from lockgate.core.policy.step import StepKind
from lockgate.core.verdict.fixed import Levels, judge_fixed
from lockgate.core.verdict.sequential import judge_sequential
from lockgate.core.verdict.verdict import Verdict


def judge(state: EvidenceState, totals: Totals, plan: Plan, step: int) -> Verdict:
    """Return the verdict at a step.

    An offline step is one look at a sealed cohort. With `inference: fixed` every tick looks again at all runs so far,
    each gate at 95 %, which promises no error rate over the looks.
    """
    policy = plan.policy
    at_step = totals.at_step if totals.step == step else Cohorts()
    if policy.steps[step].kind is StepKind.OFFLINE:
        return judge_fixed(at_step, _budgeted(policy, step), Levels(alpha=policy.alpha))
    if policy.inference is Inference.FIXED:
        return judge_fixed(totals.whole, _budgeted(policy, step), Levels(per_gate=1.0 - policy.alpha))
    return judge_sequential(state, at_step, plan, step)


def _budgeted(policy: Policy, step: int) -> tuple[Gate, ...]:
    """Return a step's gates with the margins that the harm budget leaves for the traffic of the next step."""
    share = policy.next_share(step)
    return tuple(
        gate if gate.margin is None or share == 0.0 else replace(gate, margin=gate.margin.over(share))
        for gate in policy.gates_at(step)
    )
