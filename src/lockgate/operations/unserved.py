# SPDX-License-Identifier: Apache-2.0
"""A policy comes in; what it declares and rollouts here do not do is refused, or goes out as warnings."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.endpoint import MOVES
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.policy.step import Approval, OnDeadline, StepKind
from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS
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


def unmeasured(policy: Policy) -> tuple[str, ...]:
    """Return what a policy declares and nothing here measures, so that it holds a rollout."""
    rules = policy.rules
    named = [rule.id for rule in rules.invariants]
    named += [rule.id for rule in rules.sustained]
    named += [rule.id for rule in rules.disagreement]
    named += [name for name, limit in (("spend", rules.limits.spend), ("units", rules.limits.units)) if limit]
    return tuple(named)


def unheard(seen: Snapshot, app: str, policy: Policy, *, is_moved: bool = False) -> tuple[Event, ...]:
    """Return which events of an app's rollout nobody hears; `is_moved` where a program is declared with it."""
    if policy.mode is Mode.SHADOW:
        return ()
    endpoints = seen.endpoints()
    never = {Event.FREEZE, Event.UNFREEZE, Event.UNTOLD}
    never |= set() if _waits_for_people(policy) else {Event.APPROVAL_NEEDED}
    never |= set() if _may_reduce(policy) else {Event.REDUCE}
    never |= MOVES if is_moved else set()
    return tuple(
        each for each in EVENTS if each not in never and not any(endpoint.hears(app, each) for endpoint in endpoints)
    )


def unheard_words(seen: Snapshot, app: str, policy: Policy, *, is_moved: bool = False) -> Iterator[str]:
    """Yield, in words, what a rollout asks for and nobody hears of."""
    missed = unheard(seen, app, policy, is_moved=is_moved)
    weights = [each.value for each in missed if each in MOVES]
    if weights:
        which = "which weight is asked for" if Event.PROMOTE in missed else ", ".join(weights)
        yield (
            f"nobody hears {which} in {app}, so that its traffic stays as it is: `lockgate actuator set` or "
            "`lockgate webhooks create` says who does"
        )
    if Event.APPROVAL_NEEDED in missed:
        yield "nobody is told when a step waits for approval: `lockgate webhooks create` says who is"


def _waits_for_people(policy: Policy) -> bool:
    return any(step.approval is Approval.MANUAL for step in policy.steps)


def _may_reduce(policy: Policy) -> bool:
    rules = policy.rules
    by_deadline = [step.on_deadline for step in policy.steps]
    by_gate = any(gate.breach is Breach.REDUCE for gate in policy.gates)
    return by_gate or bool(rules.sustained) or OnDeadline.REDUCE in (*by_deadline, rules.limits.on_limit)


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
