# SPDX-License-Identifier: Apache-2.0
"""A message and who must hear it come in; deliveries go out, and which of those that wait is sent next.

A lane is what one endpoint has not been told yet of one app, in the order of commits. At most one delivery of a lane is
under way at a time, but for what is urgent beside what is not at a webhook. After a weight was delivered no older one
of its lane is sent any more. What asks for no weight, which only a webhook hears, is sent all the same, unless its
rollout lost traffic since: then the weight that it says was taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lockgate.core.endpoint import MOVES, Endpoint, Kind
from lockgate.core.instant import SECOND, Instant
from lockgate.core.outbox import Message
from lockgate.core.retry import LONGEST_RETRY_AFTER, wait_after
from lockgate.core.transition import Event

# What takes traffic away from a candidate: it is urgent, and nothing may give the traffic back after it.
OVERTAKING = frozenset({Event.ROLLBACK, Event.REDUCE})
# Beyond the endpoint's own timeout: to start it, to kill it, and to write down what came of it.
LEASE_SLACK = 10 * SECOND
MAX_ERROR, MAX_OUTPUT = 500, 4_096
# The latest of each delivery are kept.
MAX_TRIES = 10
GONE = 410


class State(StrEnum):
    """What became of a delivery; the last two were never carried out."""

    DUE = "due"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    DEAD = "dead"


# What may still be told.
OPEN = frozenset({State.DUE, State.DEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt that somebody saw the end of: the answer's status where there is one, how long it took, the fault."""

    at: Instant
    took_ms: int
    code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one endpoint. `at` is when it was committed, `leased_until` when nobody sends it any more.

    `attempts` counts what was begun, so that a sender that died counts too; `error` is what the last one came to, and
    `output` the end of what the endpoint said. `held_until`: before when the endpoint asked not to be tried.
    `waits`: how many waits of the schedule have begun, of which the last one ends at `due_at`. `is_early`: it is, or
    may be, tried before that, which leaves both as they are.
    """

    message_id: str
    endpoint_id: str
    app: str
    rollout_id: str
    seq: int
    event: Event
    at: Instant
    due_at: Instant
    state: State = State.DUE
    attempts: int = 0
    waits: int = 0
    is_early: bool = False
    tried_at: Instant = 0
    leased_until: Instant = 0
    error: str = ""
    output: str = ""
    held_until: Instant = 0
    tries: tuple[Try, ...] = ()

    @property
    def is_weight(self) -> bool:
        """Say whether it asks for a weight."""
        return self.event in MOVES

    @property
    def is_urgent(self) -> bool:
        """Say whether it takes traffic away from a candidate."""
        return self.event in OVERTAKING

    def is_leased(self, now: Instant) -> bool:
        """Say whether somebody may be sending it; a clock that went back does not make a lease longer."""
        return self.state is State.DUE and self.tried_at <= now < self.leased_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What an attempt came to: its fault in a sentence, None when it was carried out, and the weight read back.

    `code`: the status that was answered; `retry_after_s`: for how long the endpoint asked not to be tried.
    """

    fault: str | None = None
    output: str = ""
    observed: float | None = None
    code: int | None = None
    retry_after_s: float | None = None

    @property
    def is_gone(self) -> bool:
        """Say whether the endpoint asked for nothing more."""
        return self.code == GONE


@dataclass(frozen=True, slots=True)
class Choice:
    """What a lane comes to at a moment: what is never sent any more, and what is sent next, if anything is."""

    superseded: tuple[Delivery, ...] = ()
    following: Delivery | None = None


def addressed(message: Message, endpoints: Iterable[Endpoint]) -> tuple[Delivery, ...]:
    """Return one delivery for each endpoint that a message is for."""
    return tuple(
        Delivery(
            message_id=message.id,
            endpoint_id=endpoint.id,
            app=message.app,
            rollout_id=message.rollout_id,
            seq=message.seq,
            event=message.event,
            at=message.at,
            due_at=message.at,
        )
        for endpoint in endpoints
        if endpoint.hears(message.app, message.event)
    )


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
    superseded = tuple(
        each for place, each in enumerate(lane) if any(is_taken_back(each, newer) for newer in lane[place + 1 :])
    )
    left = [each for each in lane if each not in superseded]
    for place, each in sorted(enumerate(left), key=lambda one: not one[1].is_urgent):
        # An older one that is urgent too was tried first; it failed, and must not keep this one back.
        is_free = each.is_urgent or (place == 0 and not leased)
        if is_free and (_is_due(each, now) or _may_be_early(each, left[place + 1 :], well_since, now)):
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


def _is_due(delivery: Delivery, now: Instant) -> bool:
    # Tried ahead of the clock, it was due by a clock that has been set back since.
    return delivery.attempts == 0 or delivery.due_at <= now or now < delivery.tried_at


def _may_be_early(delivery: Delivery, newer: Sequence[Delivery], well_since: Instant, now: Instant) -> bool:
    """Say whether there is a reason to try once before the wait is over; one that lies ahead of the clock is none."""
    reasons = (well_since, *(each.at for each in newer))
    is_waited_for = any(delivery.tried_at < reason <= now for reason in reasons)
    return delivery.is_early or (is_waited_for and delivery.held_until <= now)


def claimed(delivery: Delivery, endpoint: Endpoint, now: Instant) -> Delivery:
    """Return a delivery that somebody begins to send; if they die, it is sent again when the lease is over."""
    lease = round(endpoint.timeout_s * SECOND) + LEASE_SLACK
    return replace(
        delivery,
        attempts=delivery.attempts + 1,
        is_early=not _is_due(delivery, now),
        tried_at=now,
        leased_until=now + lease,
    )


def settled(delivery: Delivery, carried: Carried, now: Instant, kind: Kind = Kind.COMMAND) -> Delivery:
    """Return a delivery after an attempt: delivered, due again later, or dead after about three days."""
    tried = Try(
        at=delivery.tried_at,
        took_ms=max(0, now - delivery.tried_at),
        code=carried.code,
        error=(carried.fault or "")[:MAX_ERROR],
    )
    over = replace(
        delivery,
        is_early=False,
        leased_until=0,
        held_until=0,
        output=carried.output[-MAX_OUTPUT:],
        error=tried.error,
        tries=(*delivery.tries, tried)[-MAX_TRIES:],
    )
    if carried.fault is None:
        return replace(over, state=State.DELIVERED)
    asked = round(min(carried.retry_after_s or 0.0, LONGEST_RETRY_AFTER / SECOND) * SECOND)
    held = replace(over, held_until=now + asked if asked else 0)
    if delivery.is_early:
        return replace(held, due_at=max(delivery.due_at, held.held_until))
    waits = delivery.waits + 1
    wait = wait_after(kind, waits, f"{delivery.message_id} {delivery.endpoint_id}", is_urgent=delivery.is_urgent)
    if wait is None:
        return replace(over, state=State.DEAD)
    return replace(held, waits=waits, due_at=now + max(wait, asked))


def superseded(delivery: Delivery, why: str) -> Delivery:
    """Return a delivery that is never sent any more."""
    return replace(delivery, state=State.SUPERSEDED, leased_until=0, error=why[:MAX_ERROR])


def again(delivery: Delivery, now: Instant) -> Delivery:
    """Return a delivery that is due as if it had never been tried."""
    return replace(delivery, state=State.DUE, attempts=0, waits=0, due_at=now, leased_until=0, held_until=0)


def hastened(delivery: Delivery, now: Instant) -> Delivery:
    """Return a delivery that may be tried before its wait is over; one that is under way, or due, is left as it is."""
    return delivery if delivery.is_leased(now) or _is_due(delivery, now) else replace(delivery, is_early=True)
