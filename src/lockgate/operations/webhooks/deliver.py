# SPDX-License-Identifier: Apache-2.0
"""What is due comes in; each message is carried out by its endpoint, and what that came to goes out.

A delivery is claimed in one transaction, carried out outside of any, and settled in another.
A sender that dies in between leaves a lease that ends; the same bytes are sent again then.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Lock

from lockgate.core.delivery import Carried, Delivery, State, again, claimed, hastened, settled, superseded, unheard
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import SECOND, Instant
from lockgate.core.lane import Choice, choose, outdated
from lockgate.core.outbox import Message
from lockgate.core.receipt import Actor
from lockgate.core.rollout import is_met
from lockgate.crash_point import reach
from lockgate.operations.steering.acknowledge import Observation, observe
from lockgate.operations.vault.high_water import refuse_older
from lockgate.operations.vault.keeping import changing
from lockgate.operations.webhooks.health import disable, see
from lockgate.ports.actuator import Actuators
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

OVERTAKEN = "something newer was told instead"
UNKNOWN = "its endpoint was removed"
# The end of a path tells more than its beginning, and a receipt's actor is bounded.
MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of which app (None: of all) how many messages are sent at most, and for how long another than the first is begun.

    `at_once`: in how many lanes at the same time, so that one that does not answer keeps no other waiting.
    """

    app: str | None = None
    messages: int = 20
    seconds: float = 5.0
    at_once: int = 1


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery as it stands, its message, and its endpoint if that is still declared."""

    delivery: Delivery
    message: Message
    endpoint: Endpoint | None

    @property
    def is_disabled(self) -> bool:
        """Say whether it waits for somebody who enables its webhook."""
        return _is_disabled(self.endpoint)


Lane = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A lane in which something can be done, how its endpoint is reached, and whether a candidate must go."""

    lane: Lane
    kind: Kind
    is_urgent: bool


def deliver(house: House, actuators: Actuators, bounds: Bounds) -> tuple[Told, ...]:
    """Send what is due, the most urgent lane first, and return what was tried."""
    refuse_older(house)  # that nothing is left to tell is not for an older copy to say
    until = house.clock.now() + round(bounds.seconds * SECOND)
    tried: list[Told] = []
    begun, lock = 0, Lock()

    def may_begin() -> bool:
        nonlocal begun
        with lock:
            is_free = begun < bounds.messages and (begun == 0 or house.clock.now() < until)
            begun += is_free
        return is_free

    def carry(lane: Lane) -> None:
        while may_begin():
            told = carry_out(house, actuators, lane)
            if told is None:
                return
            tried.append(told)

    lanes = [each.lane for each in ready(house, bounds.app)]
    if bounds.at_once == 1:
        for lane in lanes:
            carry(lane)
        return tuple(tried)
    with ThreadPoolExecutor(bounds.at_once, "deliver") as pool:
        for _ in pool.map(carry, lanes):
            pass
    return tuple(tried)


def carry_out(house: House, actuators: Actuators, lane: Lane) -> Told | None:
    """Send the next message of a lane, and return what that came to; None when nothing of it is due."""
    claim = _claim(house, lane)
    if claim is None or claim.endpoint is None:
        return None
    reach("deliver.claimed")
    carried = actuators[claim.endpoint.kind].carry_out(claim.endpoint, claim.message)
    reach("deliver.sent")
    return _settle(house, claim, carried)


def ready(house: House, app: str | None = None) -> tuple[Ready, ...]:
    """Return the lanes that something can be done in: those with something urgent first, and routers before others.

    A store that was put back from an older copy is refused: it would tell routers weights that were taken back since.
    """
    now = house.clock.now()
    with house.store.reading(house.org) as seen:
        waiting = seen.deliveries(State.DUE, app=app)
        endpoints = {each.id: each for each in seen.endpoints()} if waiting else {}
    if waiting:
        refuse_older(house)
    found: dict[Lane, list[Delivery]] = {}
    for each in waiting:
        found.setdefault((each.endpoint_id, each.app), []).append(each)
    lanes = [
        Ready(lane=lane, kind=_kind(endpoints.get(lane[0])), is_urgent=any(each.is_urgent for each in lane_of))
        for lane, lane_of in found.items()
        if not _is_disabled(endpoints.get(lane[0])) and choose(lane_of, now, endpoints.get(lane[0])) != Choice()
    ]
    return tuple(sorted(lanes, key=lambda each: (not each.is_urgent, each.kind is Kind.WEBHOOK)))


def untold(house: House, app: str | None = None) -> tuple[Told, ...]:
    """Return what has not been told yet, or was given up, in the order of commits."""
    with house.store.reading(house.org) as seen:
        return tuple(_whole(seen, each) for each in seen.deliveries(State.DUE, State.DEAD, app=app))


def retry_dead(house: House, app: str | None = None) -> int:
    """Let what was given up be due again, and return how many that are."""
    with changing(house) as work:
        dead = work.deliveries(State.DEAD, app=app)
        for each in dead:
            work.put_delivery(again(each, house.clock.now()))
    return len(dead)


def hasten(house: House, app: str | None = None) -> None:
    """Let what waits for its next try be tried at once; what fails goes on to wait as it did."""
    with changing(house) as work:
        now = house.clock.now()
        for each in work.deliveries(State.DUE, app=app):
            if (hasty := hastened(each, now)) != each:
                work.put_delivery(hasty)


def _kind(endpoint: Endpoint | None) -> Kind:
    return Kind.COMMAND if endpoint is None else endpoint.kind


def _is_disabled(endpoint: Endpoint | None) -> bool:
    return endpoint is not None and endpoint.webhook is not None and bool(endpoint.webhook.disabled)


def _claim(house: House, lane: Lane) -> Told | None:
    """Take the next delivery of a lane for as long as its endpoint may need, and settle what is not sent any more."""
    endpoint_id, _ = lane
    with changing(house) as work:
        now = house.clock.now()
        endpoint = work.endpoint(endpoint_id)
        waiting = _of_lane(work, lane, State.DUE)
        if endpoint is None:
            _supersede(work, waiting, UNKNOWN)
            return None
        if _is_disabled(endpoint):
            return None
        choice = choose(_heard(work, waiting, endpoint.kind, now), now, endpoint)
        _supersede(work, choice.superseded, OVERTAKEN)
        if choice.following is None:
            return None
        taken = claimed(choice.following, endpoint, now)
        work.put_delivery(taken)
        return _whole(work, taken)


def _heard(work: Transaction, waiting: Sequence[Delivery], kind: Kind, now: Instant) -> tuple[Delivery, ...]:
    """Write down what ended its senders, and return what of a lane is left to be told."""
    found = [(each, unheard(each, now, kind)) for each in waiting]
    for before, after in found:
        if after != before:
            work.put_delivery(after)
    return tuple(after for _, after in found if after.state is State.DUE)


def _settle(house: House, claim: Told, carried: Carried) -> Told:
    """Write down what an attempt came to, unless its lease ended and somebody else has taken it since."""
    sent = claim.delivery
    with changing(house) as work:
        current = work.delivery(sent.message_id, sent.endpoint_id)
        if current is None or current != sent:
            return replace(claim, delivery=current or sent)
        if carried.observed is not None:
            carried = _acknowledge(work, house, claim, carried, carried.observed)
        after = settled(sent, carried, house.clock.now(), _kind(claim.endpoint))
        if after.state is State.DELIVERED and sent.is_weight:
            lane = _of_lane(work, (sent.endpoint_id, sent.app), State.DUE, State.DEAD)
            _supersede(work, outdated(lane[: lane.index(sent)], sent), OVERTAKEN)
        work.put_delivery(after)
        given_up = see(work, sent.endpoint_id, carried, house.clock.now())
    if given_up is not None:
        disable(house, sent.endpoint_id, given_up)
    return replace(claim, delivery=after)


def _acknowledge(work: Transaction, house: House, claim: Told, carried: Carried, observed: float) -> Carried:
    """Let a rollout know the weight that was read back; another one than was asked for is asked for again."""
    data = claim.message.data
    asked, revision = data["weight"], data["revision"]
    assert isinstance(asked, int | float)
    assert isinstance(revision, int)
    reader = claim.endpoint.argv[0][-MAX_NAME:] if claim.endpoint is not None and claim.endpoint.argv else ""
    actor = Actor("actuator", reader, f"{observed:g} % was read back")
    observe(work, house, Observation(rollout_id=claim.message.rollout_id, revision=revision, weight=observed), actor)
    if is_met(asked, observed):
        return carried
    return replace(carried, fault=f"{observed:g} % was read back, {asked:g} % was asked for")


def _of_lane(seen: Snapshot, lane: Lane, *states: State) -> tuple[Delivery, ...]:
    endpoint_id, app = lane
    return tuple(each for each in seen.deliveries(*states, app=app) if each.endpoint_id == endpoint_id)


def _supersede(work: Transaction, deliveries: Sequence[Delivery], why: str) -> None:
    for each in deliveries:
        work.put_delivery(superseded(each, why))


def _whole(seen: Snapshot, delivery: Delivery) -> Told:
    message = seen.message(delivery.message_id)
    assert message is not None
    return Told(delivery, message, seen.endpoint(delivery.endpoint_id))
