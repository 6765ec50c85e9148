# SPDX-License-Identifier: Apache-2.0
"""What an operator asks of a rollout comes in; the decision goes out, None where nothing is to change, or a refusal.

Asking again for what is so already changes nothing.
Who approves or promotes names the step and revision that they saw, and is told what changed when it is another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lockgate.core.canonical import canonicalize
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action, Call, Cause, Decision, promotion, rollback
from lockgate.core.decision.waiver import waiver_name, waiver_of
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.policy.step import Approval, OnDeadline, StepKind
from lockgate.core.rollout import Rollout, Status, Waiver
from lockgate.core.situation import Situation
from lockgate.core.verdict.verdict import Verdict
from lockgate.errors import NotPermittedError, TryAgainError, UsageError

NEEDS_SIGHT = frozenset({Action.APPROVE, Action.PROMOTE})
# More changes than this tell nobody more.
MAX_TOLD = 5
# What one receipt has room for, in bytes; what is not let pass pauses again, and is let pass by the next resume.
MAX_WAIVED_SIZE = 4_000


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the operator saw the rollout stand when deciding to ask."""

    step: int
    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """What raised a rollout's revision to a number."""

    revision: int
    action: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operator asks for; a kill is a rollback by cause."""

    action: Action
    reason: str
    cause: Cause = Cause.OPERATOR
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What an answer rests on besides the rollout and its policy.

    `changes`: what raised the revision since the operator looked, the oldest first. `may_return`: whether a promoted
    rollout can still be rolled back. `ratio_alarm`: the sample-ratio alarm that stands.
    """

    verdict: Verdict
    situation: Situation
    changes: tuple[Change, ...] = ()
    may_return: bool = False
    ratio_alarm: str | None = None


def intervene(rollout: Rollout, policy: Policy, request: Request, outlook: Outlook) -> Decision | None:
    """Return what an operator's request decides; None when it changes nothing."""
    if request.action in NEEDS_SIGHT and _is_repeated(rollout, policy, request, outlook):
        return None
    if _is_so(rollout, request.action, outlook):
        return None
    _check_open(rollout, request, outlook)
    return _ANSWERS[request.action](rollout, policy, request, outlook)


def _is_repeated(rollout: Rollout, policy: Policy, request: Request, outlook: Outlook) -> bool:
    """Say whether the request was granted before; refuse one that was made of another sight."""
    seen = request.seen
    if seen is None:
        raise UsageError(
            f"to {request.action} needs the step and revision that you saw",
            advice="`lockgate show` shows both.",
        )
    if (seen.step, seen.revision) == (rollout.step, rollout.revision):
        return False
    first = outlook.changes[0] if outlook.changes else None
    if first == Change(seen.revision + 1, request.action.value, request.cause.value):
        return True
    told = [f"{change.action} ({change.cause})" for change in outlook.changes[:MAX_TOLD]]
    since = f"; since then: {', '.join(told)}" if told else ""
    raise TryAgainError(
        f"{rollout.id} is {rollout.status.value} at step {rollout.step} ({rollout.at(policy).label()}), revision"
        f" {rollout.revision}, and you saw step {seen.step}, revision {seen.revision}{since}",
        advice="Look again, and name what you see then.",
    )


def _is_so(rollout: Rollout, action: Action, outlook: Outlook) -> bool:
    """Say whether what is asked for is so already."""
    return {
        Action.PAUSE: rollout.status is Status.PAUSED,
        Action.RESUME: rollout.status is Status.ACTIVE,
        Action.APPROVE: not rollout.is_terminal and rollout.approved_step == rollout.step,
        Action.ROLLBACK: rollout.status is Status.ROLLED_BACK,
        Action.CANCEL: rollout.status is Status.CANCELLED,
        Action.CLEAR: not rollout.is_terminal and outlook.ratio_alarm is None,
    }.get(action, False)


def _check_open(rollout: Rollout, request: Request, outlook: Outlook) -> None:
    if not rollout.is_terminal:
        return
    is_return = request.action is Action.ROLLBACK and rollout.status is Status.PROMOTED
    if is_return and outlook.may_return:
        return
    advice = "Start a new rollout."
    if is_return:
        advice = "Another rollout has started since, or it only advised: roll back that one, or start a new one."
    raise NotPermittedError(f"{rollout.id} has ended: {rollout.status.value}", advice=advice)


def _plain(rollout: Rollout, request: Request) -> Decision:
    """Return the decision that leaves step and weight as they are."""
    return Decision(
        action=request.action, cause=request.cause, reason=request.reason, step=rollout.step, weight=rollout.weight
    )


def _pause(rollout: Rollout, _policy: Policy, request: Request, _outlook: Outlook) -> Decision:
    return _plain(rollout, request)


def _resume(rollout: Rollout, policy: Policy, request: Request, outlook: Outlook) -> Decision:
    breaches = _breaches(rollout, outlook.verdict)
    rules = (Waiver(what=name) for name in _pausing(rollout, policy, outlook) if rollout.waiver(name) is None)
    waived = _told(sorted((*breaches, *rules), key=lambda each: each.what))
    return replace(_plain(rollout, request), waived=waived)


def _told(waivers: Sequence[Waiver]) -> tuple[Waiver, ...]:
    """Return the first waivers that a receipt has room for; refuse where it has none for the first."""
    kept: list[Waiver] = []
    room = MAX_WAIVED_SIZE
    for each in waivers:
        room -= len(canonicalize(each.named())) + 1
        if room < 0:
            break
        kept.append(each)
    if waivers and not kept:
        raise UsageError(
            f"a receipt cannot name {waivers[0].what[:80]}…, which is too long",
            advice="Give the gate a short `id` in the policy of a new rollout; roll this one back or cancel it.",
        )
    return tuple(kept)


def _breaches(rollout: Rollout, verdict: Verdict) -> Iterator[Waiver]:
    """Yield the breaches that pause at this moment, with their evidence of harm; no other breach is let pass."""
    for finding in verdict.findings:
        is_pausing = finding.outcome is Outcome.REGRESSED and finding.breach is Breach.PAUSE
        if is_pausing and waiver_of(rollout, finding) is None:
            yield Waiver(what=finding.gate, harm=0.0 if finding.evidence is None else finding.evidence.harm_level)


def _pausing(rollout: Rollout, policy: Policy, outlook: Outlook) -> Iterator[str]:
    """Yield the rules that pause at this moment; only these are let pass: nobody disarms a rollback by going on."""
    situation, at = outlook.situation, rollout.at(policy)
    for rule in situation.disagreement:
        yield waiver_name(Cause.DISAGREEMENT, rule.id)
    if policy.rules.limits.on_limit is OnDeadline.PAUSE:
        for rule in situation.limits:
            yield waiver_name(Cause.LIMIT, rule.id)
    is_late = at.max_hold_s is not None and rollout.seconds_at_step(situation.now) >= at.max_hold_s
    if is_late and at.on_deadline is OnDeadline.PAUSE:
        yield waiver_name(Cause.DEADLINE, rollout.step)


def _approve(rollout: Rollout, policy: Policy, request: Request, _outlook: Outlook) -> Decision:
    at = rollout.at(policy)
    if at.approval is not Approval.MANUAL:
        raise UsageError(f"leaving {at.label()} waits for no approval", advice="`promote` goes on without waiting.")
    return _plain(rollout, request)


def _promote(rollout: Rollout, policy: Policy, request: Request, outlook: Outlook) -> Decision:
    situation = outlook.situation
    if situation.freeze is not None:
        raise NotPermittedError(
            f"{rollout.app} is frozen: {situation.freeze}", advice="Promote when it is unfrozen; rollback always works."
        )
    if rollout.status is Status.PAUSED:
        raise NotPermittedError(f"{rollout.id} is paused: {rollout.pause_reason}", advice="Resume it first.")
    due = decide(rollout, policy, outlook.verdict, situation)
    # A deadline ends waiting, and so does a promotion.
    if due.action not in (Action.HOLD, Action.PROMOTE) and due.cause is not Cause.DEADLINE:
        raise NotPermittedError(
            f"the next tick will {due.action} {rollout.id}: {due.reason}", advice="What a breach does comes first."
        )
    # What an operator goes past is written down.
    passed = () if due.action is Action.PROMOTE else (due.reason, *due.also)
    return promotion(rollout, policy, Call(request.action, request.cause, request.reason), passed)


def _roll_back(rollout: Rollout, _policy: Policy, request: Request, outlook: Outlook) -> Decision:
    return rollback(rollout, outlook.situation, request.cause, request.reason)


def _cancel(rollout: Rollout, policy: Policy, request: Request, _outlook: Outlook) -> Decision:
    if is_exposed(rollout, policy):
        raise NotPermittedError(
            f"{rollout.id} is exposed at {rollout.at(policy).label()}, so it is not cancelled", advice="Roll it back."
        )
    return replace(_plain(rollout, request), weight=0.0, terminal=True)


def _clear(rollout: Rollout, _policy: Policy, request: Request, outlook: Outlook) -> Decision:
    assert outlook.ratio_alarm is not None
    return replace(_plain(rollout, request), also=(outlook.ratio_alarm,))


_ANSWERS: dict[Action, Callable[[Rollout, Policy, Request, Outlook], Decision]] = {
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.APPROVE: _approve,
    Action.PROMOTE: _promote,
    Action.ROLLBACK: _roll_back,
    Action.CANCEL: _cancel,
    Action.CLEAR: _clear,
}


def is_exposed(rollout: Rollout, policy: Policy) -> bool:
    """Say whether users may meet the candidate's answers; a weight that is still live counts."""
    at = rollout.at(policy)
    is_asked = at.is_exposed and (rollout.weight > 0 or at.kind is StepKind.RING)
    return rollout.mode is Mode.CANARY and (is_asked or bool(rollout.acknowledged))
