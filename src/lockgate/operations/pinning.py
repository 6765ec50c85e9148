# SPDX-License-Identifier: Apache-2.0
"""A transition comes in; where exposure was taken back or promotion stopped, the raw runs behind it are pinned."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.retention import Pin
from lockgate.core.transition import Transition
from lockgate.core.trial import Trial
from lockgate.ports.store import Transaction

PINNING = frozenset((Action.ROLLBACK, Action.REDUCE, Action.PAUSE))


def pin(work: Transaction, trial: Trial, transition: Transition) -> None:
    """Pin the slots that a rollout has read, of both arms, in the transaction that keeps the decision.

    One row, however long the rollout went on: a tick costs the same after a week as after a minute.
    """
    last = trial.progress.state.last_bucket
    first = trial.spans[0].first
    if transition.decision.action not in PINNING or last < first:
        return
    rollout = trial.rollout
    reason = transition.decision.reason
    work.put_pin(Pin(rollout=rollout.id, app=rollout.app, first=first, last=last, reason=reason, at=transition.at))
