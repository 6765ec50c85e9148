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
    What it pinned before stays as it is, because of what came since some may have been pruned. A champion that is
    taken back after long has buckets that are gone; they are not in it.
    """
    if transition.decision.action not in PINNING:
        return
    rollout, last = trial.rollout, trial.progress.state.last_bucket
    pinned = [each.last + 1 for each in work.pins() if each.rollout == rollout.id]
    app = work.app(rollout.app)
    first = max([trial.spans[0].first, 0 if app is None else app.kept_from, *pinned])
    if last < first:
        return
    pinning = Pin(
        rollout=rollout.id,
        app=rollout.app,
        first=first,
        last=last,
        reason=transition.decision.reason,
        at=transition.at,
        raw_from=work.retention().raw_until,
    )
    work.put_pin(pinning)
