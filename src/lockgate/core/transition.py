# SPDX-License-Identifier: Apache-2.0
"""A rollout and a decision come in; the rollout afterwards, and what must be told, go out.

Steps move one forward, one back by `reduce`, or to weight 0; nothing moves a rollout that has ended,
except an operator's rollback of a promoted one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.rollout import Notice, Rollout, Status


class Event(StrEnum):
    """What a transition tells the outside; the last three are of an app, and of an endpoint that is tried."""

    CREATED = "rollout.created"
    PROMOTE = "rollout.promote"
    ROLLBACK = "rollout.rollback"
    REDUCE = "rollout.reduce"
    PAUSE = "rollout.pause"
    RESUME = "rollout.resume"
    APPROVAL_NEEDED = "rollout.approval_needed"
    OVERDUE = "rollout.overdue"
    UNTOLD = "rollout.untold"
    COMPLETED = "rollout.completed"
    FREEZE = "app.freeze"
    UNFREEZE = "app.unfreeze"
    PING = "endpoint.ping"


_NOTED_BY = {
    Notice.APPROVAL: Event.APPROVAL_NEEDED,
    Notice.OVERDUE: Event.OVERDUE,
    Notice.UNTOLD: Event.UNTOLD,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A rollout before and after one decision, at one instant.

    `moves`: whether a weight must be carried out; a shadow rollout never moves anything.
    """

    before: Rollout
    after: Rollout
    decision: Decision
    at: Instant

    @property
    def is_look(self) -> bool:
        """Say whether nothing changed: a tick that only looked."""
        return self.before == self.after

    @property
    def moves(self) -> bool:
        """Say whether a weight must be carried out."""
        return self.after.exposed_weight != self.before.exposed_weight

    @property
    def events(self) -> tuple[Event, ...]:
        """Return what listeners are told; a shadow rollout tells movers nothing."""
        if self.after.mode is Mode.SHADOW:
            return ()
        told = {
            Action.PROMOTE: Event.PROMOTE,
            Action.ROLLBACK: Event.ROLLBACK,
            Action.REDUCE: Event.REDUCE,
            Action.PAUSE: Event.PAUSE,
            Action.RESUME: Event.RESUME,
        }.get(self.decision.action)
        # One that was promoted and is taken back ends anew: who hears of ends alone must not stay with the first.
        ended = self.after.is_terminal and self.after.status is not self.before.status
        noticed = (_NOTED_BY[each] for each in self.after.notices if each not in self.before.notices)
        return tuple(event for event in (told, Event.COMPLETED if ended else None, *noticed) if event is not None)


def begun(before: Rollout, policy: Policy) -> Transition:
    """Return the transition by which a rollout begins: it goes on trial at its first step."""
    after = replace(before, weight=policy.steps[0].weight, revision=1)
    decision = Decision(
        action=Action.PROMOTE,
        cause=Cause.OPERATOR,
        reason=f"{after.candidate} goes on trial against {after.baseline} at {policy.steps[0].label()}",
        step=0,
        weight=after.weight,
    )
    return Transition(before, after, decision, before.created_at)


_STATUS = {
    Action.PROMOTE: Status.PROMOTED,
    Action.ROLLBACK: Status.ROLLED_BACK,
    Action.CANCEL: Status.CANCELLED,
}
# What leaves step and weight as they are; an alarm that is cleared is in the evidence.
_NOTES = frozenset({Action.PAUSE, Action.RESUME, Action.APPROVE, Action.CLEAR})


def apply(rollout: Rollout, decision: Decision, now: Instant) -> Transition:
    """Return the transition that a decision makes; a hold changes nothing."""
    if decision.action is Action.HOLD:
        return Transition(rollout, rollout, decision, now)
    has_let_pass = rollout.has_let_pass or _lets_pass(decision)
    after = replace(rollout, revision=rollout.revision + 1, has_let_pass=has_let_pass)
    if decision.action in _NOTES:
        after = _noted(after, decision)
    elif decision.terminal:
        after = _ended(after, decision, now)
    else:
        after = _moved(after, decision, now)
    return Transition(rollout, after, decision, now)


def _lets_pass(decision: Decision) -> bool:
    """Say whether a person goes past a breach, or past what holds."""
    is_past_holds = decision.action is Action.PROMOTE and decision.cause is Cause.OPERATOR and bool(decision.also)
    return is_past_holds or any(each.is_breach for each in decision.waived)


def _noted(rollout: Rollout, decision: Decision) -> Rollout:
    if decision.action is Action.PAUSE:
        return replace(rollout, status=Status.PAUSED, pause_reason=decision.reason)
    if decision.action is Action.RESUME:
        renewed = {each.what for each in decision.waived}
        kept = (each for each in rollout.waived if each.what not in renewed)
        new = (replace(each, revision=rollout.revision, reason=decision.reason) for each in decision.waived)
        waived = (*kept, *new)
        return replace(rollout, status=Status.ACTIVE, pause_reason="", waived=waived)
    if decision.action is Action.APPROVE:
        return replace(rollout, approved_step=rollout.step)
    return rollout


def _moved(rollout: Rollout, decision: Decision, now: Instant) -> Rollout:
    back = decision.action is Action.REDUCE
    return replace(
        rollout,
        step=decision.step,
        weight=decision.weight,
        step_entered_at=now,
        reductions=rollout.reductions + back,
        approved_step=None,
        # What was let pass was seen at the step before, and so was what people were told of.
        waived=(),
        notices=(),
    )


def _ended(rollout: Rollout, decision: Decision, now: Instant) -> Rollout:
    return replace(
        rollout,
        status=_STATUS[decision.action],
        step=decision.step,
        weight=decision.weight,
        step_entered_at=now if decision.step != rollout.step else rollout.step_entered_at,
        approved_step=None,
        pause_reason="",
    )
