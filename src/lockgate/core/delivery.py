# SPDX-License-Identifier: Apache-2.0
"""A message and who must hear it come in; deliveries go out, and what becomes of each when it is tried."""

from __future__ import annotations

from collections.abc import Iterable
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
# So many senders in a row may end while they send a message, as they do where servers are restarted, before it is taken
# for what ends them.
MAY_END = 2
UNHEARD = "its sender ended before it wrote down what came of it"
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
    """One attempt: the answer's status where there is one, how long it took, the fault.

    Of one whose end nobody saw, how long it may have taken.
    """

    at: Instant
    took_ms: int
    code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one endpoint. `at` is when it was committed, `leased_until` when nobody sends it any more.

    `attempts` counts what was begun, also by senders that ended on the way, as `ended` did in a row. `error` is what
    the last one came to, and `output` the end of what the endpoint said. `held_until`: before when the endpoint asked
    not to be tried. `waits`: how many waits of the schedule have begun, of which the last one ends at `due_at`.
    `is_early`: it is, or may be, tried before that, which leaves both as they are.
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
    ended: int = 0

    @property
    def is_weight(self) -> bool:
        """Say whether it asks for a weight."""
        return self.event in MOVES

    @property
    def is_urgent(self) -> bool:
        """Say whether it takes traffic away from a candidate."""
        return self.event in OVERTAKING

    def is_due(self, now: Instant) -> bool:
        """Say whether no wait keeps it back."""
        # Tried ahead of the clock, it was due by a clock that has been set back since.
        return self.attempts == 0 or self.due_at <= now or now < self.tried_at

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


def claimed(delivery: Delivery, endpoint: Endpoint, now: Instant) -> Delivery:
    """Return a delivery that somebody begins to send; if they die, it is sent again when the lease is over."""
    lease = round(endpoint.timeout_s * SECOND) + LEASE_SLACK
    return replace(
        delivery,
        attempts=delivery.attempts + 1,
        ended=delivery.ended + bool(delivery.leased_until),
        is_early=not delivery.is_due(now),
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
        ended=0,
        output=carried.output[-MAX_OUTPUT:],
        error=tried.error,
        tries=(*delivery.tries, tried)[-MAX_TRIES:],
    )
    if carried.fault is None:
        return replace(over, state=State.DELIVERED)
    asked = round(min(carried.retry_after_s or 0.0, LONGEST_RETRY_AFTER / SECOND) * SECOND)
    # What was asked for before holds on: a try that somebody asked for by hand ends no time of rest.
    until = max(delivery.held_until, now + asked)
    held = replace(over, held_until=until if until > now else 0)
    if delivery.is_early:
        return replace(held, due_at=max(delivery.due_at, held.held_until))
    waits = delivery.waits + 1
    wait = wait_after(kind, waits, f"{delivery.message_id} {delivery.endpoint_id}", is_urgent=delivery.is_urgent)
    if wait is None:
        return replace(over, state=State.DEAD)
    return replace(held, waits=waits, due_at=now + max(wait, asked))


def unheard(delivery: Delivery, now: Instant, kind: Kind = Kind.COMMAND) -> Delivery:
    """Return a delivery as after a failed try where each of its last senders ended while it was sending.

    It waits, and is given up, as others are; else it would end senders for ever, and keep its lane.
    """
    if delivery.ended < MAY_END or not delivery.leased_until or delivery.is_leased(now):
        return delivery
    over = settled(delivery, Carried(fault=UNHEARD), now, kind)
    last = replace(over.tries[-1], took_ms=delivery.leased_until - delivery.tried_at)
    # The next sender that ends is one too many again.
    return replace(over, ended=delivery.ended, tries=(*over.tries[:-1], last))


def superseded(delivery: Delivery, why: str) -> Delivery:
    """Return a delivery that is never sent any more."""
    return replace(delivery, state=State.SUPERSEDED, leased_until=0, error=why[:MAX_ERROR])


def again(delivery: Delivery, now: Instant) -> Delivery:
    """Return a delivery that is due as if it had never been tried."""
    return replace(delivery, state=State.DUE, attempts=0, waits=0, due_at=now, leased_until=0, held_until=0, ended=0)


def hastened(delivery: Delivery, now: Instant) -> Delivery:
    """Return a delivery that may be tried before its wait is over; one that is under way, or due, is left as it is."""
    return delivery if delivery.is_leased(now) or delivery.is_due(now) else replace(delivery, is_early=True)
