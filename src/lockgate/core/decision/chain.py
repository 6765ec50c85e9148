# SPDX-License-Identifier: Apache-2.0
"""A rollout, its verdict and its situation come in; the one decision of this tick goes out.

The chain is read top to bottom and the first match wins:
invariant, critical floor, limit, regression, sustained budget, disagreement, then the holds, then promotion.
A deadline acts only on a rollout that would otherwise hold.
"""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.decision.decision import Action, Call, Cause, Decision, promotion, rollback
from lockgate.core.decision.holds import holds
from lockgate.core.decision.waiver import let_pass, outgrown, waiver_name, waiver_of, waiver_words
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import OnDeadline
from lockgate.core.rollout import Rollout, Status
from lockgate.core.situation import Broken, Situation
from lockgate.core.verdict.verdict import Verdict
from lockgate.core.wording import count_text, duration_words, listed


def decide(rollout: Rollout, policy: Policy, verdict: Verdict, situation: Situation) -> Decision:
    """Return the one decision of this tick."""
    calls = tuple(_chain(rollout, policy, verdict, situation))
    first, rest = calls[0], calls[1:]
    passed = () if rollout.is_terminal else let_pass(rollout, verdict)
    also = (
        *(call.reason for call in rest if call.action is not Action.PROMOTE),
        *(waiver_words(finding, waiver) for finding, waiver in passed),
    )
    return _resolve(rollout, policy, situation, first, also)


def _chain(rollout: Rollout, policy: Policy, verdict: Verdict, situation: Situation) -> Iterator[Call]:
    """Yield what each rule asks for, in the order in which they win."""
    if rollout.is_terminal:
        yield Call(Action.HOLD, Cause.ENDED, f"the rollout has ended: {rollout.status.value.replace('_', ' ')}")
        return
    yield from _rules(Action.ROLLBACK, Cause.INVARIANT, situation.invariants)
    yield from _floors(verdict)
    on_limit = Action(policy.rules.limits.on_limit.value)
    yield from _rules(on_limit, Cause.LIMIT, _unwaived(rollout, on_limit, Cause.LIMIT, situation.limits))
    yield from _regressions(rollout, verdict)
    yield from _rules(Action.REDUCE, Cause.SUSTAINED, situation.sustained)
    disagreement = _unwaived(rollout, Action.PAUSE, Cause.DISAGREEMENT, situation.disagreement)
    yield from _rules(Action.PAUSE, Cause.DISAGREEMENT, disagreement)
    waiting = tuple(holds(rollout, policy, verdict, situation))
    if waiting:
        yield from _deadline(rollout, policy, situation, waiting[0])
    yield from waiting
    yield Call(Action.PROMOTE, Cause.SATISFIED, _satisfied(rollout, policy, verdict, situation))


def _rules(action: Action, cause: Cause, broken: tuple[Broken, ...]) -> Iterator[Call]:
    for rule in broken:
        yield Call(action, cause, f"{rule.id}: {rule.sentence}")


def _unwaived(rollout: Rollout, action: Action, cause: Cause, broken: tuple[Broken, ...]) -> tuple[Broken, ...]:
    if action is not Action.PAUSE:
        return broken
    return tuple(rule for rule in broken if rollout.waiver(waiver_name(cause, rule.id)) is None)


def _floors(verdict: Verdict) -> Iterator[Call]:
    for finding in verdict.findings:
        if finding.outcome is Outcome.REGRESSED and finding.is_objective and finding.is_critical:
            yield Call(Action.ROLLBACK, Cause.FLOOR, finding.reason)


_SEVERITY = {Breach.ROLLBACK: 0, Breach.REDUCE: 1, Breach.PAUSE: 2}


def _regressions(rollout: Rollout, verdict: Verdict) -> Iterator[Call]:
    regressed = [finding for finding in verdict.findings if finding.outcome is Outcome.REGRESSED]
    unseen = [finding for finding in regressed if waiver_of(rollout, finding) is None]
    for finding in sorted(unseen, key=lambda each: _SEVERITY[each.breach]):
        cause = Cause.FLOOR if finding.is_objective else Cause.REGRESSION
        yield Call(Action(finding.breach.value), cause, f"{finding.reason}{outgrown(rollout, finding)}")


def _deadline(rollout: Rollout, policy: Policy, situation: Situation, held_by: Call) -> Iterator[Call]:
    at = rollout.at(policy)
    waited = rollout.seconds_at_step(situation.now)
    if at.max_hold_s is None or waited < at.max_hold_s or at.on_deadline is OnDeadline.HOLD:
        return
    is_waived = rollout.waiver(waiver_name(Cause.DEADLINE, rollout.step)) is not None
    if at.on_deadline is OnDeadline.PAUSE and (is_waived or rollout.status is Status.PAUSED):
        return
    reason = f"{at.label()} held for {duration_words(waited)}, longer than {duration_words(at.max_hold_s)}"
    yield Call(Action(at.on_deadline.value), Cause.DEADLINE, f"{reason}: {held_by.reason}")


def _satisfied(rollout: Rollout, policy: Policy, verdict: Verdict, situation: Situation) -> str:
    at = rollout.at(policy)
    said = verdict.outcome.value if verdict.outcome is not Outcome.NOT_APPLICABLE else "no comparison applies"
    passed = [finding.gate for finding, _ in let_pass(rollout, verdict)]
    if passed:
        said = f"the breach of {listed(passed)} let pass"
    runs = f"{_runs(rollout, policy, situation)}{_beside(verdict, situation)}"
    if rollout.step + 1 == len(policy.steps):
        return f"{said} at {at.label()} with {runs}; the last step is satisfied"
    return f"{said} at {at.label()} with {runs}, advancing to {policy.steps[rollout.step + 1].label()}"


def _runs(rollout: Rollout, policy: Policy, situation: Situation) -> str:
    """Return how many runs a step is left by, and how many of them never met its weight."""
    fresh, earlier = situation.fresh_runs, situation.earlier_runs
    if not earlier:
        return count_text(fresh, "fresh run")
    live = fresh if rollout.is_met(policy) else fresh - earlier
    return f"{count_text(live, 'fresh run')} and {earlier:,} from before the rollout"


def _beside(verdict: Verdict, situation: Situation) -> str:
    """Return how few runs of the baseline a gate has, where that is less than half of the fresh ones."""
    judged = (each.evidence.judged_baseline_runs for each in verdict.findings if each.evidence is not None)
    fewest = min((runs for runs in judged if runs is not None), default=None)
    if fewest is None or 2 * fewest >= situation.fresh_runs:
        return ""
    return f", compared with {fewest:,} of the baseline"


def _resolve(rollout: Rollout, policy: Policy, situation: Situation, call: Call, also: tuple[str, ...]) -> Decision:
    """Turn what a rule asks for into where the rollout stands afterwards."""
    if call.action is Action.PROMOTE:
        return promotion(rollout, policy, call, also)
    if call.action is Action.ROLLBACK or (call.action is Action.REDUCE and not _may_reduce(rollout, policy)):
        return rollback(rollout, situation, call.cause, call.reason, also)
    step = rollout.step - 1 if call.action is Action.REDUCE else rollout.step
    weight = policy.steps[step].weight if call.action is Action.REDUCE else rollout.weight
    action = call.action
    if action is Action.PAUSE and rollout.status is Status.PAUSED:
        action = Action.HOLD
    return Decision(
        action=action,
        cause=call.cause,
        reason=call.reason,
        step=step,
        weight=weight,
        terminal=rollout.is_terminal,
        also=also,
    )


def _may_reduce(rollout: Rollout, policy: Policy) -> bool:
    return rollout.step > 0 and rollout.reductions < policy.max_reductions
