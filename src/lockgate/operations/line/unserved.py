# SPDX-License-Identifier: Apache-2.0
"""A policy comes in; what it declares and rollouts here do not do is refused, or goes out as warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lockgate.core.endpoint import MOVES
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.policy.step import Approval, OnDeadline, StepKind
from lockgate.core.surroundings import unmeasured
from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS
from lockgate.core.wording import listed
from lockgate.errors import UsageError
from lockgate.ports.store import Snapshot


def check_served(policy: Policy) -> None:
    """Refuse a policy whose promise would rest on something that is not counted."""
    if policy.unit is not None:
        raise UsageError(
            f"the policy counts by {policy.unit}, and rollouts here count each run by itself",
            advice="Leave `unit` out: receipts then say that runs are assumed to be independent. "
            "Where a unit has many runs alike, send one run for each.",
        )


def unheard_words(seen: Snapshot, app: str, policy: Policy, *, is_moved: bool = False) -> Iterator[str]:
    """Yield, in words, what an app's rollout can come to and nobody hears; `is_moved` where a program comes with it."""
    if policy.mode is Mode.SHADOW:
        return
    endpoints = seen.endpoints()
    heard = {event for event in EVENTS if any(endpoint.hears(app, event) for endpoint in endpoints)}
    heard |= MOVES if is_moved else set()
    has_router = is_moved or any(endpoint.may_move(app) for endpoint in endpoints)
    missed = _missed(policy, heard, has_router=has_router)
    weights = [each.value for each in missed if each in MOVES]
    if weights:
        is_all = MOVES.isdisjoint(heard)
        which = "which weight is asked for" if is_all else listed(weights)
        then = "stays as it is" if is_all else "stays as it is when that is asked for"
        yield (
            f"nobody hears {which} in {app}, so that its traffic {then}: `lockgate actuator set` or "
            "`lockgate webhooks create` says who does"
        )
    waits = [f"when {words}" for event in missed for words in _words(event, policy)]
    if waits:
        *others, last = waits
        said = f"{', '.join(others)} or {last}" if others else last
        yield f"nobody is told {said}: `lockgate webhooks create` says who is"


def _missed(policy: Policy, heard: set[Event], *, has_router: bool) -> tuple[Event, ...]:
    """Return the events that a policy can come to and that are not among those that somebody hears."""
    never = BY_PEOPLE | {event for event, may_come in _MAY_COME.items() if not may_come(policy)}
    if not has_router:
        never |= {Event.UNTOLD}
    # The promotion to the last step, and a rollback, say that it ended.
    if heard >= _ENDS:
        never |= {Event.COMPLETED}
    return tuple(each for each in EVENTS if each not in never | heard)


def _words(event: Event, policy: Policy) -> tuple[str, ...]:
    """Return what has happened where somebody should be told an event that asks for no weight."""
    said = _TOLD.get(event, ())
    return (_HELD_LONG, *said) if event is Event.OVERDUE and _may_hold_long(policy) else said


def _waits_for_people(policy: Policy) -> bool:
    return any(step.approval is Approval.MANUAL for step in policy.steps)


def _may_reduce(policy: Policy) -> bool:
    return bool(policy.rules.sustained) or _declares(policy, Breach.REDUCE, OnDeadline.REDUCE)


def _may_pause(policy: Policy) -> bool:
    return bool(policy.rules.disagreement) or _declares(policy, Breach.PAUSE, OnDeadline.PAUSE)


def _declares(policy: Policy, breach: Breach, action: OnDeadline) -> bool:
    """Say whether a gate, a deadline or a limit does a thing."""
    by_deadline = [step.on_deadline for step in policy.steps if step.max_hold_s is not None]
    by_gate = any(gate.breach is breach for gate in policy.gates)
    return by_gate or action in (*by_deadline, policy.rules.limits.on_limit)


def _may_hold_long(policy: Policy) -> bool:
    return any(step.max_hold_s is not None for step in policy.steps)


# What only follows from what a person does, who knows of it.
BY_PEOPLE = frozenset({Event.RESUME, Event.FREEZE, Event.UNFREEZE})
_ENDS = {Event.PROMOTE, Event.ROLLBACK}
# What not every policy can come to; the rest of what is no person's, every canary can.
_MAY_COME: dict[Event, Callable[[Policy], bool]] = {
    Event.APPROVAL_NEEDED: _waits_for_people,
    Event.REDUCE: _may_reduce,
    Event.PAUSE: _may_pause,
}
_HELD_LONG = "a step holds beyond its max_hold"
_TOLD = {
    Event.PAUSE: ("a breach, a limit or a deadline pauses it",),
    Event.APPROVAL_NEEDED: ("a step waits for approval",),
    Event.OVERDUE: ("its weight is not read back within max_stale",),
    Event.UNTOLD: ("no router was told its weight",),
    Event.COMPLETED: ("it has ended",),
}


def warnings(policy: Policy) -> Iterator[str]:
    """Yield what a policy asks of somebody else, or of something that is not there yet."""
    if not policy.is_judged:
        ramp = ", ".join(step.label() for step in policy.steps)
        yield f"no gate ever speaks at {ramp}: add a step below 100 %, a holdback, or a gate with a max or min"
    unread = unmeasured(policy)
    if unread:
        yield f"{', '.join(unread)} is declared and nothing here measures it yet: the rollout holds for it"
    if policy.require_pairwise:
        yield "a pairwise comparison is required and nothing here makes one yet: the rollout holds until it is there"
    names = [step.label() for step in policy.steps if step.kind in (StepKind.MIRROR, StepKind.RING)]
    if names:
        yield (
            f"{', '.join(names)}: messages name the step by its number and the weight; who routes sends the traffic, "
            "and until runs of the candidate come in the rollout holds"
        )
