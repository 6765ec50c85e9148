# SPDX-License-Identifier: Apache-2.0
"""Folded evidence and its totals come in; the verdict at a step, by the policy's kind of inference, goes out."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.evidence.entered import enter_step
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.state import EvidenceState
from lockgate.core.evidence.totals import Cohorts, Totals
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.verdict.fixed import Levels, judge_fixed
from lockgate.core.verdict.sequential import Shown, judge_sequential
from lockgate.core.verdict.verdict import Verdict


def judge(state: EvidenceState, totals: Totals, plan: Plan, step: int) -> Verdict:
    """Return the verdict at a step.

    An offline step is one look at a sealed cohort. With `inference: fixed` every tick looks again at all runs so far,
    each gate at 95 %, which promises no error rate over the looks.
    """
    policy = plan.policy
    at_step = totals.at_step if totals.step == step else Cohorts()
    if policy.steps[step].kind is StepKind.OFFLINE:
        verdict = judge_fixed(at_step, _budgeted(policy, step), Levels(alpha=policy.offline_alpha))
        return _looked(verdict) if at_step.is_complete(policy, step) else _waiting(verdict, policy.steps[step])
    if policy.inference is Inference.FIXED:
        return judge_fixed(totals.whole, _budgeted(policy, step), Levels(per_gate=1.0 - policy.alpha))
    at_entry = state if state.step == step else enter_step(state, step, plan)
    return judge_sequential(at_entry, Shown(at_step, totals), plan)


def _waiting(verdict: Verdict, step: Step) -> Verdict:
    """Return the verdict before the one look, which comes when the cohort is complete."""
    why = f"{step.label()} is judged once, when {step.min_runs:,} runs of each release are in"
    return replace(
        verdict,
        findings=tuple(replace(each, outcome=Outcome.INSUFFICIENT, reason=why) for each in verdict.findings),
    )


def _looked(verdict: Verdict) -> Verdict:
    """Return the verdict of the one look; what it could not settle no run settles that comes later."""
    return replace(
        verdict,
        findings=tuple(
            replace(each, reason=f"{each.reason}; its one look is over, so only a new rollout asks for more runs")
            if each.outcome is Outcome.INSUFFICIENT
            else each
            for each in verdict.findings
        ),
    )


def _budgeted(policy: Policy, step: int) -> tuple[Gate, ...]:
    """Return a step's gates with the margins that the harm budget leaves for the traffic of the next step."""
    share = policy.next_share(step)
    return tuple(_over(gate, share, policy.promote) for gate in policy.gates_at(step))


def _over(gate: Gate, share: float, promote: Promote) -> Gate:
    """Return a gate with its margin for a share of traffic; where only proof counts, that margin alone is asked for."""
    if gate.margin is None or share == 0.0:
        return gate
    return replace(gate, margin=gate.margin.over(share), detect=None if promote is Promote.PROVEN else gate.detect)
