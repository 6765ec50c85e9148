# SPDX-License-Identifier: Apache-2.0
"""A rollout, its findings and its situation come in; everything that keeps it where it is goes out, worst first."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.decision.decision import Action, Call, Cause
from lockgate.core.decision.waiver import waiver_of
from lockgate.core.finding import Finding, Outcome
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.policy.step import Approval
from lockgate.core.rollout import Rollout, Status
from lockgate.core.situation import Situation
from lockgate.core.verdict.verdict import Verdict
from lockgate.core.wording import duration_words

# By these words a receipt says that it was so, because nothing else tells later what had been delivered.
UNTOLD = "nobody who moves traffic was told: "


def holds(rollout: Rollout, policy: Policy, verdict: Verdict, situation: Situation) -> Iterator[Call]:
    """Yield everything that keeps the rollout where it is, in the order in which a person should care."""
    findings = [finding for finding in verdict.findings if waiver_of(rollout, finding) is None]
    yield from _evidence_holds(findings, policy, situation)
    if situation.freeze is not None:
        yield Call(Action.HOLD, Cause.FREEZE, f"frozen: {situation.freeze}")
    if rollout.status is Status.PAUSED:
        yield Call(Action.HOLD, Cause.PAUSED, f"paused: {rollout.pause_reason}")
    yield from _step_holds(rollout, policy, situation)


def _evidence_holds(findings: list[Finding], policy: Policy, situation: Situation) -> Iterator[Call]:
    for finding in findings:
        if finding.outcome is Outcome.UNAVAILABLE:
            yield Call(Action.HOLD, Cause.UNAVAILABLE, finding.reason)
    if policy.require_pairwise and situation.pairwise in (None, Outcome.UNAVAILABLE):
        yield Call(Action.HOLD, Cause.PAIRWISE, "a pairwise comparison is required and the model is silent")
    for alarm in situation.alarms:
        yield Call(Action.HOLD, Cause.ALARM, alarm)
    for finding in findings:
        if finding.outcome is Outcome.INSUFFICIENT:
            yield Call(Action.HOLD, Cause.INSUFFICIENT, finding.reason)
        elif finding.outcome is Outcome.CLEAN and policy.promote is Promote.PROVEN:
            yield Call(Action.HOLD, Cause.INSUFFICIENT, f"clean, not yet proven: {finding.reason}")
    if policy.require_pairwise and situation.pairwise in (Outcome.INSUFFICIENT, Outcome.REGRESSED):
        yield Call(Action.HOLD, Cause.PAIRWISE, f"the pairwise comparison says {situation.pairwise.value}")


def _step_holds(rollout: Rollout, policy: Policy, situation: Situation) -> Iterator[Call]:
    at = rollout.at(policy)
    waited = rollout.seconds_at_step(situation.now)
    if not rollout.is_acknowledged:
        # 0 is what is known before anything is: what a router says of an earlier rollout is not this one's.
        read = f"{rollout.acknowledged:g} %" if rollout.acknowledged else "none of it"
        said = f"{rollout.exposed_weight:g} % was asked for, {read} was read back"
        yield Call(Action.HOLD, Cause.ACKNOWLEDGEMENT, f"the weight is not acknowledged: {said}")
    if situation.untold is not None:
        yield Call(Action.HOLD, Cause.UNTOLD, f"{UNTOLD}{situation.untold}")
    if situation.fresh_runs < at.min_runs:
        runs = f"{situation.fresh_runs:,} of {at.min_runs:,} fresh candidate runs"
        earlier = f"; {situation.earlier_runs:,} are from before the rollout" if situation.earlier_runs else ""
        yield Call(Action.HOLD, Cause.MIN_RUNS, f"{at.label()} has {runs}{earlier}")
    for cause, seconds, what in (
        (Cause.SETTLE, at.settle_s, "traffic settles"),
        (Cause.MIN_HOLD, at.min_hold_s, "the step is held"),
        (Cause.SOAK, at.soak_s, "the last step soaks"),
    ):
        if waited < seconds:
            left = duration_words(seconds - waited)
            yield Call(Action.HOLD, cause, f"{what} for {duration_words(seconds)}, {left} left")
    if at.approval is Approval.MANUAL and rollout.approved_step != rollout.step:
        yield Call(Action.HOLD, Cause.APPROVAL, f"leaving {at.label()} waits for an approval")
