# SPDX-License-Identifier: Apache-2.0
"""A lane comes in; which delivery of it is sent next goes out, and which are never sent any more.

A lane is what one endpoint has not been told yet of one app, in the order of commits. At most one delivery of a lane is
under way at a time, but for what is urgent beside what is not at a webhook. After a weight was delivered no older one
of its lane is sent any more. What asks for no weight, which only a webhook hears, is sent all the same, unless its
rollout lost traffic since: then the weight that it says was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lockgate.core.delivery import Delivery
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import Instant


@dataclass(frozen=True, slots=True)
class Choice:
    """What a lane comes to at a moment: what is never sent any more, and what is sent next, if anything is."""

    superseded: tuple[Delivery, ...] = ()
    following: Delivery | None = None


def choose(lane: Sequence[Delivery], now: Instant, endpoint: Endpoint | None = None) -> Choice:
    """Return what a lane comes to now: in order, but that what is urgent overtakes what is not.

    A command ends before the next one begins. What is sent to a webhook says its own place in the order, so that there
    what is urgent does not even wait for what is under way.
    """
    webhook = None if endpoint is None else endpoint.webhook
    well_since = 0 if webhook is None else webhook.well_since
    leased = [each for each in lane if each.is_leased(now)]
    if leased and (webhook is None or any(each.is_urgent for each in leased)):
        return Choice()
    superseded = _taken_back(lane)
    gone = {each.message_id for each in superseded}
    left = [each for each in lane if each.message_id not in gone]
    for place, each in sorted(enumerate(left), key=lambda one: not one[1].is_urgent):
        # An older one that is urgent too was tried first; it failed, and must not keep this one back.
        is_free = each.is_urgent or (place == 0 and not leased)
        if is_free and (each.is_due(now) or _may_be_early(each, left[place + 1 :], well_since, now)):
            return Choice(superseded, each)
    return Choice(superseded)


def is_taken_back(delivery: Delivery, newer: Delivery) -> bool:
    """Say whether a newer delivery takes away the traffic that an older one gives, or says that there is."""
    if not newer.is_urgent:
        return False
    if newer.rollout_id == delivery.rollout_id:
        # That a rollout has ended is told by the receipt that ended it, and says what that one says.
        return newer.seq > delivery.seq
    # Another rollout's candidate may still have the traffic that an urgent one takes away.
    return delivery.is_weight and not delivery.is_urgent


def outdated(older: Iterable[Delivery], sent: Delivery) -> tuple[Delivery, ...]:
    """Return which of the older deliveries of a lane are never sent any more after one was delivered."""
    return tuple(each for each in older if (sent.is_weight and each.is_weight) or is_taken_back(each, sent))


def _taken_back(lane: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Return what newer ones of a lane take back; of these the newest of each rollout, and of all, says enough."""
    found: list[Delivery] = []
    urgent: dict[str, Delivery] = {}
    newest: Delivery | None = None
    for each in reversed(lane):
        own = urgent.get(each.rollout_id)
        if any(newer is not None and is_taken_back(each, newer) for newer in (own, newest)):
            found.append(each)
        if each.is_urgent:
            urgent.setdefault(each.rollout_id, each)
            newest = newest or each
    return tuple(reversed(found))


def _may_be_early(delivery: Delivery, newer: Sequence[Delivery], well_since: Instant, now: Instant) -> bool:
    """Say whether there is a reason to try once before the wait is over; one that lies ahead of the clock is none."""
    reasons = (well_since, *(each.at for each in newer))
    is_waited_for = any(delivery.tried_at < reason <= now for reason in reasons)
    return delivery.is_early or (is_waited_for and delivery.held_until <= now)
