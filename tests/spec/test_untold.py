# SPDX-License-Identifier: Apache-2.0
"""Canaries whose routers hear nothing come in; none is promoted unseen, and each way on works: docs/spec.md, DE-250."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.core.decision.decision import Cause
from lockgate.core.decision.intervention import Seen
from lockgate.core.delivery import Carried, State
from lockgate.core.endpoint import Kind
from lockgate.core.rollout import Rollout, Status
from lockgate.core.transition import Event
from lockgate.operations.asking.queries import explain
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import remove_actuator
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.operations.webhooks.deliver import deliver, retry_dead
from lockgate.operations.webhooks.webhooks import delete_webhook, switch_webhook
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, trial_of, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, delivered, kept_deliveries, routed
from tests.spec.test_webhook_events import events, last, sent
from tests.spec.webhooked import hooked

URL = "https://hooks.example.com/"
GONE, FAILS = Carried(fault="it answered 410", code=410), Carried(fault="it answered 500", code=500)


def walked(here: World, rollout: Rollout, receivers: Recipients | None = None, minutes: int = 15) -> Rollout:
    """Return a rollout after good traffic, minute by minute, in which messages are sent."""
    for _ in range(minutes):
        if receivers is not None:
            sent(here, receivers)
        if not trial_of(here, rollout.id).rollout.is_terminal:
            here.walk(rollout.id, EQUAL, runs=4000, minutes=1)
    return trial_of(here, rollout.id).rollout


def held(here: World, rollout: Rollout) -> str:
    """Return why a rollout waits for its router, and that this alone keeps it."""
    said = explain(rollout.id, here.house)
    assert [each.cause for each in said.holds] == [Cause.UNTOLD]
    assert tick(rollout.id, here.house).transition.decision.cause is Cause.UNTOLD
    return said.decision.reason


@pytest.mark.clause("DE-250")
@pytest.mark.parametrize(("answer", "why"), [(GONE, "is disabled: it answered 410"), (FAILS, "failed in ")])
def test_a_canary_whose_only_router_hears_nothing_stays_where_it_is(answer: Carried, why: str) -> None:
    """It says which one and why, and a rollback takes the candidate out all the same."""
    here, receivers = world(), Recipients(answers=[answer] * 500)
    hooked(here, receivers, URL)
    rollout = created(here).rollout

    after = walked(here, rollout, receivers)

    assert (after.status, after.step, after.weight) == (Status.ACTIVE, 0, 5)
    assert why in held(here, rollout)
    assert rollback(rollout.id, ANN, here.house).rollout.status is Status.ROLLED_BACK
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("DE-250")
def test_a_router_that_is_disabled_on_the_way_stops_it_where_it_is() -> None:
    """What would be asked for next would reach nobody."""
    here, receivers = world(), Recipients()
    webhook = hooked(here, receivers, URL).endpoint
    rollout = created(here).rollout
    sent(here, receivers)
    switch_webhook(webhook.id, ANN, here.house, is_enabled=False)

    after = walked(here, rollout, receivers)

    assert (after.status, after.step) == (Status.ACTIVE, 0)
    assert f"webhook {webhook.id} is disabled" in held(here, rollout)


@pytest.mark.clause("DE-250")
def test_it_goes_on_when_its_router_was_told() -> None:
    """A webhook that is enabled again, and answers, is all that was missing."""
    here, receivers = world(), Recipients(answers=[GONE])
    webhook = hooked(here, receivers, URL).endpoint
    rollout = created(here).rollout
    stopped = walked(here, rollout, receivers)
    switch_webhook(webhook.id, ANN, here.house, is_enabled=True)

    after = walked(here, rollout, receivers)

    assert (stopped.status, after.status) == (Status.ACTIVE, Status.PROMOTED)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("DE-250")
def test_a_message_that_was_given_up_holds_until_it_is_told() -> None:
    """A program that fails for days keeps the canary at its weight; told at last, it goes on."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    for each in kept_deliveries(here):
        with here.house.store.writing() as work:
            work.put_delivery(replace(each, state=State.DEAD, attempts=9, error="it is down"))
    stopped = walked(here, rollout)
    retry_dead(here.house)
    delivered(here, router)

    tick(rollout.id, here.house)

    assert (stopped.status, stopped.step) == (Status.ACTIVE, 0)
    assert trial_of(here, rollout.id).rollout.step == 1


@pytest.mark.clause("DE-250")
def test_a_message_that_nobody_tries_is_waited_for_a_minute_without_a_word() -> None:
    """What is to be sent at this moment holds nothing up; what nobody sends does."""
    here = world()
    routed(here)
    rollout = created(here).rollout
    here.clock.advance(59)
    before = [each.cause for each in explain(rollout.id, here.house).holds]
    here.clock.advance(1)

    after = [each.cause for each in explain(rollout.id, here.house).holds]

    assert Cause.UNTOLD not in before
    assert Cause.UNTOLD in after


@pytest.mark.clause("DE-250")
def test_one_router_that_was_told_is_enough() -> None:
    """Another one that fails is told of as before, and holds nothing."""
    here, receivers = world(), Recipients(answers=[FAILS] * 500)
    hooked(here, receivers, URL)
    router = routed(here)
    rollout = created(here).rollout
    for _ in range(15):
        deliver(here.house, {Kind.COMMAND: router, Kind.WEBHOOK: receivers}, EVERYTHING)
        if not trial_of(here, rollout.id).rollout.is_terminal:
            here.walk(rollout.id, EQUAL, runs=4000, minutes=1)

    assert trial_of(here, rollout.id).rollout.status is Status.PROMOTED


@pytest.mark.clause("DE-250")
@pytest.mark.parametrize("events_heard", [None, (Event.PAUSE, Event.APPROVAL_NEEDED)])
def test_who_never_had_a_router_goes_on(events_heard: tuple[Event, ...] | None) -> None:
    """Nobody hears weights, as its owner was warned at the beginning; so nothing waits for anybody."""
    here, receivers = world(), Recipients(answers=[FAILS] * 500)
    if events_heard is not None:
        hooked(here, receivers, URL, events=events_heard)
    rollout = created(here).rollout

    assert walked(here, rollout, receivers).status is Status.PROMOTED
    assert Event.UNTOLD.value.partition(".")[2] not in events(here)


@pytest.mark.clause("DE-250")
@pytest.mark.parametrize("kind", list(Kind))
def test_a_router_that_a_person_took_away_is_waited_for_no_more(kind: Kind) -> None:
    """The rollout goes on as one that never had any."""
    here, receivers = world(), Recipients(answers=[FAILS] * 500)
    webhook = hooked(here, receivers, URL).endpoint if kind is Kind.WEBHOOK else None
    if webhook is None:
        routed(here)
    rollout = created(here).rollout
    stopped = walked(here, rollout, receivers if webhook else None)
    if webhook is None:
        remove_actuator(APP, ANN, here.house)
    else:
        delete_webhook(webhook.id, ANN, here.house)

    after = walked(here, rollout, receivers)

    assert (stopped.status, after.status) == (Status.ACTIVE, Status.PROMOTED)


@pytest.mark.clause("DE-251")
def test_people_are_told_once_that_no_router_was() -> None:
    """By a receipt, which replays, and a message to whoever hears it; more ticks tell no more."""
    here, receivers = world(), Recipients(answers=[GONE])
    hooked(here, receivers, URL)
    people = hooked(here, receivers, "https://people.example.com/", events=(Event.UNTOLD,)).endpoint
    rollout = created(here).rollout

    walked(here, rollout, receivers)
    told = [message.event for endpoint, message in receivers.came if endpoint.id == people.id]

    assert events(here) == ["created", "untold"]
    assert told == [Event.UNTOLD]
    assert "is disabled: it answered 410" in str(last(here, Event.UNTOLD)[1]["reason"])
    report = fsck(here.house)
    assert report.flaws == ()
    assert any("whether its router had been told" in each for each in report.unknown)


@pytest.mark.clause("DE-251")
def test_a_person_who_saw_to_it_goes_on() -> None:
    """The promotion's receipt keeps what was gone past."""
    here, receivers = world(), Recipients(answers=[GONE])
    hooked(here, receivers, URL)
    rollout = created(here).rollout
    stopped = walked(here, rollout, receivers)

    after = promote(rollout.id, Seen(stopped.step, stopped.revision), ANN, here.house).rollout

    assert after.step == 1
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("DE-251")
def test_a_deadline_that_ends_such_a_hold_replays() -> None:
    """What its receipt says of the router is what the decision is made again with."""
    here, receivers = world(), Recipients(answers=[FAILS] * 500)
    hooked(here, receivers, URL)
    steps = [{"weight": 25, "max_hold": "2h", "on_deadline": "rollback"}, {"weight": 100}]
    rollout = created(here, policy={"steps": steps}).rollout
    walked(here, rollout, receivers)
    here.clock.advance(3 * 3600)

    turn = tick(rollout.id, here.house)

    assert turn.transition.decision.cause is Cause.DEADLINE
    assert fsck(here.house).flaws == ()
