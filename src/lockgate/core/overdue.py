# SPDX-License-Identifier: Apache-2.0
"""A rollout, its policy and two times come in; why somebody should have looked at it before goes out in a sentence."""

from __future__ import annotations

from lockgate.core.instant import SECOND, Instant, instant_text, is_ahead
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import OnDeadline
from lockgate.core.rollout import Rollout, Status
from lockgate.core.wording import duration_words

_FOLLOWS = {
    OnDeadline.HOLD: "it goes on holding, because no on_deadline is declared",
    OnDeadline.PAUSE: "on_deadline: pause",
    OnDeadline.REDUCE: "on_deadline: reduce",
    OnDeadline.ROLLBACK: "on_deadline: rollback",
}


def overdue(rollout: Rollout, policy: Policy, ticked_at: Instant, now: Instant) -> str | None:
    """Return why a rollout is overdue: it holds beyond its `max_hold`, or nobody has ticked it, or carried its
    weight out, for `max_stale`.

    A clock that was set back tells neither, which is said instead.
    """
    if rollout.is_terminal:
        return None
    stale = _stale(ticked_at or rollout.created_at, policy, now)
    found = (_held(rollout, policy, now), _unanswered(rollout, policy, now), stale)
    return "; ".join(each for each in found if each is not None) or None


def _held(rollout: Rollout, policy: Policy, now: Instant) -> str | None:
    at, waited = rollout.at(policy), rollout.seconds_at_step(now)
    if is_ahead(rollout.step_entered_at, now):
        entered = instant_text(rollout.step_entered_at)
        return f"the clock was set back: {at.label()} began at {entered} by the clock of then, and is timed from there"
    if at.max_hold_s is None or waited < at.max_hold_s:
        return None
    is_done = at.on_deadline is OnDeadline.PAUSE and rollout.status is Status.PAUSED
    is_due = at.on_deadline is not OnDeadline.HOLD and not is_done
    follows = f"{_FOLLOWS[at.on_deadline]}{' at the next tick' if is_due else ''}"
    longer = f"{at.label()} has held for {duration_words(waited)}, longer than {duration_words(at.max_hold_s)}"
    return f"{longer} ({follows})"


def _unanswered(rollout: Rollout, policy: Policy, now: Instant) -> str | None:
    """Return in words that a router reads back another weight for too long: no comparison is made meanwhile."""
    waited = rollout.seconds_at_step(now)
    if rollout.is_acknowledged or waited <= policy.max_stale_s:
        return None
    back = f"its router reads back {rollout.acknowledged:g} %"
    return (
        f"{rollout.exposed_weight:g} % was asked for {duration_words(waited)} ago and {back}, so that nothing is "
        "compared and no harm is seen: mend what the actuator runs, or roll back"
    )


def _stale(since: Instant, policy: Policy, now: Instant) -> str | None:
    if is_ahead(since, now):
        return "nobody has ticked it since the clock was set back"
    waited = max(0, now - since) // SECOND
    if waited <= policy.max_stale_s:
        return None
    allowed = duration_words(policy.max_stale_s)
    return f"nobody has ticked it for {duration_words(waited)}, its policy's max_stale is {allowed}"
