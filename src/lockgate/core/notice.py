# SPDX-License-Identifier: Apache-2.0
"""A transition and its policy come in; one that holds for the first time because of people, and says so, goes out.

Such a turn is no look: it has a receipt, which its message names, and the rollout keeps that people were told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.overdue import overdue
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.rollout import Notice
from lockgate.core.transition import Transition


def noticed(transition: Transition, policy: Policy) -> Transition:
    """Return a transition with what people must be told of it, if it holds and they have not been told yet."""
    after = transition.after
    if transition.decision.action is not Action.HOLD or after.is_terminal or after.mode is Mode.SHADOW:
        return transition
    new = tuple(each for each in _notices(transition, policy) if each not in after.notices)
    return replace(transition, after=replace(after, notices=(*after.notices, *new))) if new else transition


def lateness(transition: Transition, policy: Policy) -> str | None:
    """Return why a rollout is overdue at a turn; that nobody ticked it is over with the turn."""
    return overdue(transition.after, policy, transition.at, transition.at)


def _notices(transition: Transition, policy: Policy) -> Iterator[Notice]:
    if transition.decision.cause is Cause.APPROVAL:
        yield Notice.APPROVAL
    if transition.decision.cause is Cause.UNTOLD:
        yield Notice.UNTOLD
    if lateness(transition, policy) is not None:
        yield Notice.OVERDUE
