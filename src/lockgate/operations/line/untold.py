# SPDX-License-Identifier: Apache-2.0
"""A canary comes in; why nobody who moves its traffic was told its weight goes out, so that it is not promoted unseen.

What nobody was ever to be told goes on as it is: its owner was warned when it was created.
"""

from __future__ import annotations

from lockgate.core.decision.decision import Decision
from lockgate.core.decision.holds import UNTOLD
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import SECOND, Instant
from lockgate.core.outbox import message_name
from lockgate.core.rollout import Rollout
from lockgate.core.statement import receipt_name
from lockgate.core.transition import Event
from lockgate.core.wording import count_text, duration_words
from lockgate.ports.store import Snapshot

# A message that nobody has tried, or that is under way, is waited for without a word for so long.
PATIENCE = 60 * SECOND


def why_untold(seen: Snapshot, rollout: Rollout, now: Instant) -> str | None:
    """Return why no mover of a canary was told its weight; None where one was, may be, or never was to be.

    Where a weight is read back, a hold for that says more.
    """
    if rollout.is_terminal or not rollout.exposed_weight or rollout.acknowledged is not None:
        return None
    movers = [each for each in seen.endpoints() if each.may_move(rollout.app)]
    if not movers:
        return None
    return _undelivered(seen, rollout, movers, now) or _unheard(seen, rollout, movers)


def untold_in(decision: Decision) -> str | None:
    """Return why nobody had been told when a decision was made, as its receipt says."""
    said = (each for each in (decision.reason, *decision.also) if each.startswith(UNTOLD))
    return next((each.removeprefix(UNTOLD) for each in said), None)


def _undelivered(seen: Snapshot, rollout: Rollout, movers: list[Endpoint], now: Instant) -> str | None:
    """Return why the newest weight that is not told everywhere was told nowhere."""
    waiting = [
        each
        for each in seen.deliveries(State.DUE, State.DEAD, app=rollout.app)
        if each.rollout_id == rollout.id and each.is_weight
    ]
    if not waiting:
        return None
    message = waiting[-1].message_id
    found = [(each, seen.delivery(message, each.id)) for each in movers]
    said = [_fault(mover, delivery, now) for mover, delivery in found if delivery is not None]
    faults = [each for each in said if each is not None]
    return faults[0] if faults and len(faults) == len(said) else None


def _fault(mover: Endpoint, delivery: Delivery, now: Instant) -> str | None:
    """Return why a mover was not told; None where it was, or may be yet."""
    if delivery.state not in (State.DUE, State.DEAD) or any(not each.error for each in delivery.tries):
        return None
    who = _who(mover)
    if mover.webhook is not None and mover.webhook.disabled:
        return f"{who} is disabled: {mover.webhook.disabled}"
    if delivery.error:
        # What a program or a receiver said may hold secrets, and the reason of a decision is for whoever may look.
        return f"{who} failed in {count_text(delivery.attempts, 'attempt')}"
    waited = now - delivery.at
    return f"{who} has waited for {duration_words(waited // SECOND)}" if waited >= PATIENCE else None


def _unheard(seen: Snapshot, rollout: Rollout, movers: list[Endpoint]) -> str | None:
    """Return which mover, that heard of the rollout when it began, is disabled, where no other one hears weights."""
    if any(each.hears(rollout.app, Event.PROMOTE) for each in movers):
        return None
    first = message_name(receipt_name(rollout.org, rollout.id, 1), Event.CREATED)
    for each in movers:
        if each.webhook is not None and each.webhook.disabled and seen.delivery(first, each.id) is not None:
            return f"{_who(each)} is disabled: {each.webhook.disabled}"
    return None


def _who(mover: Endpoint) -> str:
    return "the actuator" if mover.webhook is None else f"webhook {mover.id}"
