# SPDX-License-Identifier: Apache-2.0
"""Endpoints that fail while newer things happen come in; what waits must keep the schedule, which is one of time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.delivery import UNHEARD, Carried, Delivery, State, addressed, again, claimed, settled, unheard
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import HOUR, SECOND, Instant
from lockgate.core.lane import choose
from lockgate.core.outbox import Message
from lockgate.core.retry import MINUTE
from lockgate.core.transition import Event
from lockgate.core.webhook import Webhook
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.webhooks.deliver import deliver, hasten
from lockgate.operations.webhooks.try_webhook import try_webhook
from lockgate.operations.webhooks.webhooks import switch_webhook
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from tests.spec.line import created, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, delivered, kept_deliveries, routed, told
from tests.spec.test_delivery import promoted_step
from tests.spec.webhooked import hooked

URL = "https://hooks.example.com/"
DOWN = Carried(fault="it is down", code=503)
HOOK = Endpoint(id="end_1", app=None, kind=Kind.WEBHOOK, since=0, webhook=Webhook(url=URL, secret=b""))
AHEAD = replace(HOOK, webhook=Webhook(url=URL, secret=b"", well_since=HOUR))
PROGRAM = Endpoint(id="end_2", app=None, kind=Kind.COMMAND, argv=("x",), folder="/", since=0)


def sent(here: World, receivers: Recipients) -> None:
    """Let one sender send what is due."""
    deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)


def bothered(here: World, receivers: Recipients, rollout_id: str, times: int) -> None:
    """Let something newer be told each second, and each time be tried what is due."""
    for number in range(times):
        here.clock.advance(1)
        (resume if number % 2 else pause)(rollout_id, ANN, here.house)
        sent(here, receivers)


def waiting(message: Message, endpoint: Endpoint) -> Delivery:
    """Return the delivery of a message that nobody has tried."""
    return addressed(message, (endpoint,))[0]


def message(number: int, at: Instant, event: Event = Event.PROMOTE) -> Message:
    """Return the message of a number."""
    return Message(id=f"evt_{number}", app="web", rollout_id="rol_1", seq=number, event=event, at=at, body=b"")


@pytest.mark.clause("WH-300")
@pytest.mark.usefixtures("each_store")
def test_newer_events_use_up_nothing_of_a_webhooks_schedule() -> None:
    """Ten of them within ten seconds leave the oldest due, after 5 s and then 5 min from its first try on."""
    here, receivers = world(), Recipients(answers=[DOWN] * 50)
    hooked(here, receivers, URL)
    rollout = created(here).rollout
    began = here.clock.now()
    sent(here, receivers)

    bothered(here, receivers, rollout.id, 10)

    oldest, *behind = kept_deliveries(here)
    assert (oldest.state, oldest.waits, oldest.attempts) == (State.DUE, 2, 11)
    assert 0.79 * 305 <= (oldest.due_at - began) / SECOND <= 1.21 * 306
    assert {(each.state, each.attempts) for each in behind} == {(State.DUE, 0)}
    receivers.answers.clear()
    here.clock.advance(400)
    sent(here, receivers)
    assert {each.state for each in kept_deliveries(here)} == {State.DELIVERED}


@pytest.mark.clause("WH-300")
def test_a_receiver_that_was_away_for_two_seconds_is_told_within_the_first_wait() -> None:
    """However much happened meanwhile."""
    here, receivers = world(), Recipients(answers=[DOWN] * 4)
    hooked(here, receivers, URL)
    rollout = created(here).rollout
    sent(here, receivers)
    promoted_step(here, rollout.id)
    sent(here, receivers)
    bothered(here, receivers, rollout.id, 2)

    receivers.answers.clear()
    here.clock.advance(4.1)
    sent(here, receivers)

    assert {each.state for each in kept_deliveries(here)} == {State.DELIVERED}


@pytest.mark.clause("WH-300")
def test_newer_weights_use_up_nothing_of_an_actuators_schedule() -> None:
    """Nor does whoever lets it be tried at once; the next wait is the one that had begun."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    router.faults = ["the router is down"] * 30
    began = here.clock.now()
    delivered(here, router)
    for _ in range(2):
        here.clock.advance(1)
        promoted_step(here, rollout.id)
        delivered(here, router)
    for _ in range(20):
        hasten(here.house)
        delivered(here, router)

    oldest = kept_deliveries(here)[0]

    assert (oldest.state, oldest.waits, oldest.attempts) == (State.DUE, 1, 23)
    assert oldest.due_at - began == 5 * SECOND
    router.faults.clear()
    here.clock.advance(3)
    delivered(here, router)
    assert [event for event, _ in told(router)] == ["created", "promote", "promote"]


class Ending(Recipients):
    """A receiver by whose answers senders end."""

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """End who sends."""
        super().carry_out(endpoint, message)
        raise KeyboardInterrupt


def ended(here: World, receivers: Recipients, minutes: int) -> int:
    """Let a sender come each minute, and return how many ended."""
    before = len(receivers.came)
    for _ in range(minutes):
        with suppress(KeyboardInterrupt):
            sent(here, receivers)
        here.clock.advance(60)
    return len(receivers.came) - before


@pytest.mark.clause("WH-314")
@pytest.mark.usefixtures("each_store")
def test_a_message_that_ends_its_senders_is_given_up_like_others() -> None:
    """Two that end are nothing: servers are restarted; then it waits as others do, and its lane goes on."""
    here, receivers = world(), Ending()
    hooked(here, receivers, URL)
    rollout = created(here).rollout

    first = ended(here, receivers, 2)
    kept = kept_deliveries(here)[0]
    later = ended(here, receivers, 4 * 24 * 60)
    given_up = kept_deliveries(here)[0]
    pause(rollout.id, ANN, here.house)
    sent(here, well := Recipients())

    assert (first, kept.state, kept.waits) == (2, State.DUE, 0)
    assert later < 20
    assert (given_up.state, given_up.error) == (State.DEAD, UNHEARD)
    assert [event.event for _, event in well.came] == [Event.PAUSE]


@pytest.mark.clause("WH-314")
def test_a_try_that_somebody_saw_the_end_of_begins_the_count_anew() -> None:
    """Whatever it came to; and who asks for it again by hand does too."""
    left, now = waiting(message(1, 0), HOOK), 0
    for _ in range(3):
        left = claimed(left, HOOK, now)
        now += HOUR

    assert (unheard(left, now, HOOK.kind).waits, unheard(left, now, HOOK.kind).ended) == (1, 2)
    assert unheard(left, left.tried_at, HOOK.kind) == left
    assert [each.ended for each in (settled(left, DOWN, now, HOOK.kind), again(left, now))] == [0, 0]


@pytest.mark.clause("WH-300")
@pytest.mark.parametrize("endpoint", [HOOK, PROGRAM], ids=["webhook", "program"])
@pytest.mark.parametrize("event", [Event.PROMOTE, Event.ROLLBACK])
@given(pauses=st.lists(st.sampled_from([0, 1, SECOND, MINUTE, HOUR]), min_size=40, max_size=300))
def test_nothing_is_given_up_before_its_time(endpoint: Endpoint, event: Event, pauses: list[int]) -> None:
    """Whatever is newer, and whoever died while sending: it is dead after more than two days, or it is due."""
    (left, now) = (waiting(message(1, 0, event), endpoint), 0)
    for number, pause_ms in enumerate(pauses, 2):
        now += pause_ms
        newer = replace(waiting(message(number, now), endpoint), rollout_id="rol_2")
        following = choose((left, newer), now, endpoint).following
        if following is None or following.seq != 1:
            continue
        left = claimed(left, endpoint, now)
        if number % 5:
            left = settled(left, DOWN, now, endpoint.kind)
        if left.state is State.DEAD:
            break

    assert left.state is State.DUE or now > 48 * HOUR


@pytest.mark.clause("WH-301")
@pytest.mark.usefixtures("each_store")
def test_a_receiver_that_is_well_again_is_told_at_once_what_waits_for_it() -> None:
    """In every app, after it took anything; what fails once more keeps its place in the schedule."""
    here, receivers = world(), Recipients(answers=[DOWN] * 8)
    hooked(here, receivers, URL)
    for name in ("one", "two", "three"):
        created(here, app=name)
    sent(here, receivers)
    here.clock.advance(7)
    sent(here, receivers)
    before = {each.app: each.due_at for each in kept_deliveries(here)}
    receivers.answers = [Carried(code=200), DOWN]
    here.clock.advance(1)
    created(here, app="four")
    sent(here, receivers)
    here.clock.advance(1)

    sent(here, receivers)
    sent(here, receivers)

    found = {each.app: each for each in kept_deliveries(here)}
    assert sorted(each.state.value for each in found.values()) == ["delivered", "delivered", "delivered", "due"]
    (left,) = (each for each in found.values() if each.state is State.DUE)
    assert (left.due_at, left.waits, left.attempts) == (before[left.app], 2, 3)


@pytest.mark.clause("WH-301")
@pytest.mark.parametrize("way", ["ping", "enabled"])
def test_who_mended_a_receiver_need_not_wait(way: str) -> None:
    """A ping that it takes, or that it was enabled, lets what waits be tried at once."""
    here, receivers = world(), Recipients(answers=[DOWN] * 2)
    identity = hooked(here, receivers, URL).endpoint.id
    created(here)
    sent(here, receivers)
    here.clock.advance(7)
    sent(here, receivers)
    here.clock.advance(1)
    if way == "ping":
        try_webhook(identity, here.house, receivers)
    else:
        for is_enabled in (False, True):
            switch_webhook(identity, ANN, here.house, is_enabled=is_enabled)

    sent(here, receivers)

    assert [each.state for each in kept_deliveries(here)] == [State.DELIVERED]


@pytest.mark.clause("WH-300")
def test_a_try_by_hand_ends_no_rest_that_a_receiver_asked_for() -> None:
    """Though it failed without a word about how long: what is newer waits until then as before."""
    asked = Carried(fault="it is busy", code=503, retry_after_s=3_600)
    left = settled(claimed(waiting(message(1, 0), HOOK), HOOK, 0), asked, 0, Kind.WEBHOOK)

    early = settled(claimed(left, HOOK, MINUTE), DOWN, MINUTE, Kind.WEBHOOK)

    newer = waiting(message(2, 2 * MINUTE), HOOK)
    assert (early.held_until, early.due_at) == (HOUR, left.due_at)
    assert choose((early, newer), 3 * MINUTE, HOOK).following is None
    late = settled(claimed(early, HOOK, left.due_at), DOWN, left.due_at, Kind.WEBHOOK)
    assert late.held_until == 0


@pytest.mark.clause("WH-302")
@pytest.mark.parametrize("endpoint", [AHEAD, PROGRAM], ids=["webhook", "program"])
def test_what_is_newer_by_a_clock_that_was_set_back_hastens_nothing(endpoint: Endpoint) -> None:
    """It is tried once, by the clock that is, and then by the schedule: not again and again until that hour."""
    lane = [waiting(message(1, 0), endpoint), waiting(message(2, HOUR), endpoint)]

    tried = 0
    for now in range(0, 4 * SECOND, 100):
        following = choose(lane, now, endpoint).following
        if following is not None:
            tried += 1
            lane[0] = settled(claimed(following, endpoint, now), DOWN, now, endpoint.kind)

    assert tried == 1


@pytest.mark.clause("WH-302")
def test_what_was_early_by_a_clock_that_was_set_back_is_due() -> None:
    """A week ahead for a moment costs no week of waiting, whatever was newer then."""
    week = 7 * 24 * HOUR
    left = settled(claimed(waiting(message(1, 0), HOOK), HOOK, week), DOWN, week, Kind.WEBHOOK)
    early = settled(claimed(left, HOOK, week + SECOND), DOWN, week + SECOND, Kind.WEBHOOK)
    assert choose((early,), 0, HOOK).following == early

    back = settled(claimed(early, HOOK, 0), DOWN, 0, Kind.WEBHOOK)

    assert back.due_at < HOUR
