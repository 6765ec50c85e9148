# SPDX-License-Identifier: Apache-2.0
"""A rollout before and after a decision, and its policy, come in; moves that no policy allows go out."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Status
from lockgate.core.transition import Transition

_BY_OPERATOR = frozenset({Cause.OPERATOR, Cause.KILL})
_OUT = frozenset({Status.ROLLED_BACK, Status.CANCELLED})


def departures(transition: Transition, policy: Policy) -> Iterator[str]:
    """Yield, in words, how a transition leaves the declared ramp.

    A rollback and a cancellation are final; only an operator takes back a promotion that is complete.
    Steps move one forward by a promotion, or back by a reduction; the weight is that of the step, or 0 at the end.
    """
    before, after, decision = transition.before, transition.after, transition.decision
    if before.status in _OUT and after != before:
        yield f"{before.status.value} is final, and it goes on to {after.status.value} at {after.weight:g} %"
    if before.status is Status.PROMOTED and after != before and decision.cause not in _BY_OPERATOR:
        yield "a promoted rollout is taken back, and not by an operator"
    moved = after.step - before.step
    if moved not in _MOVES.get(decision.action, (0,)):
        yield f"{decision.action.value} moves it from step {before.step} to step {after.step}"
    if not 0 <= after.step < len(policy.steps):
        yield f"step {after.step} is none of the {len(policy.steps)} declared steps"
        return
    declared = 0.0 if after.status in _OUT else policy.steps[after.step].weight
    if after.weight != declared:
        yield f"its weight is {after.weight:g} %, where the policy declares {declared:g} %"


# Where the last step is complete a promotion ends the rollout and moves it no further.
_MOVES = {Action.PROMOTE: (0, 1), Action.REDUCE: (-1, 0)}
