# SPDX-License-Identifier: Apache-2.0
"""A policy comes in; what it declares and rollouts here do not do is refused, or goes out as warnings."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import StepKind
from lockgate.errors import UsageError


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
