# SPDX-License-Identifier: Apache-2.0
"""Rollouts of a small world come in; what must be told of them must reach the router, in an order that does no harm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.decision.intervention import Seen
from lockgate.core.delivery import Delivery, State, addressed, claimed
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import HOUR
from lockgate.core.lane import Choice, choose
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.operations.steering.actuator import Program, remove_actuator, set_actuator, tell_again
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import Bounds, deliver, untold
from lockgate.testing.router import Router
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import APP, created, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, delivered, kept_deliveries, routed, states, told

DOWN = "the router is down"


def promoted_step(here: World, rollout_id: str) -> None:
    """Move a rollout one step forward."""
    with here.house.store.reading() as seen:
        trial = seen.trial(rollout_id)
    assert trial is not None
    promote(rollout_id, Seen(trial.rollout.step, trial.rollout.revision), ANN, here.house)


@pytest.mark.clause("LI-90")
def test_every_message_has_a_delivery_for_whoever_hears_it_then() -> None:
    """One that is declared later hears what comes after, and one of another app nothing."""
    here = world()
    rollout = created(here).rollout
    routed(here)
    routed(here, "other-app")
    pause(rollout.id, ANN, here.house)
    rollback(rollout.id, ANN, here.house)
    freeze(APP, ANN, here.house)

    (only,) = kept_deliveries(here)

    with here.house.store.reading() as seen:
        message = seen.message(only.message_id)
    assert message is not None
    assert (only.event, only.app, message.data["weight"]) == (Event.ROLLBACK, APP, 0.0)


@pytest.mark.clause("LI-90")
def test_in_shadow_mode_nobody_is_told() -> None:
    """Nothing moves, so there is nothing to carry out."""
    here = world()
    routed(here)
    created(here, policy={"mode": "shadow"})

    assert kept_deliveries(here) == ()


@pytest.mark.clause("LI-90", "LI-91")
def test_messages_are_carried_out_in_order() -> None:
    """Each weight once, and nothing is left."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    promoted_step(here, rollout.id)
    promoted_step(here, rollout.id)

    delivered(here, router)
    again = delivered(here, router)

    assert told(router) == [("created", 5.0), ("promote", 25.0), ("promote", 50.0)]
    assert (again, untold(here.house)) == ((), ())
    assert {each.state for each in kept_deliveries(here)} == {State.DELIVERED}


@pytest.mark.clause("LI-91")
def test_nothing_is_sent_before_what_comes_before_it() -> None:
    """While one waits for its next try, those behind it wait too."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    router.faults = [DOWN]
    promoted_step(here, rollout.id)

    delivered(here, router)
    here.clock.advance(1)
    waiting = delivered(here, router)
    here.clock.advance(5)
    delivered(here, router)

    assert waiting == ()
    assert told(router) == [("created", 5.0), ("promote", 25.0)]


@pytest.mark.clause("LI-92")
@pytest.mark.parametrize("way", ["rollback", "kill"])
def test_what_takes_traffic_away_overtakes_what_gives_it(way: str) -> None:
    """No promotion is sent after it, however long it waited."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    router.faults = [DOWN]
    delivered(here, router)
    promoted_step(here, rollout.id)
    if way == "kill":
        kill(APP, ANN, here.house)
    else:
        rollback(rollout.id, ANN, here.house)

    delivered(here, router)
    here.clock.advance(80 * 3_600)
    delivered(here, router)

    assert told(router) == [("rollback", 0.0)]
    assert states(kept_deliveries(here)) == [
        ("created", "superseded"),
        ("promote", "superseded"),
        ("rollback", "delivered"),
    ]


@pytest.mark.clause("LI-92")
def test_another_rollouts_rollback_is_tried_first_and_keeps_nothing_urgent_back() -> None:
    """Its candidate may still have the traffic; when it fails, the newer one goes all the same."""
    here = world()
    router = routed(here)
    first = created(here).rollout
    delivered(here, router)
    rollback(first.id, ANN, here.house)
    second = created(here, candidate="def456").rollout
    rollback(second.id, ANN, here.house)
    router.faults = [DOWN]

    delivered(here, router)

    assert [each.rollout_id for each in router.reached] == [first.id, first.id, second.id]
    assert router.weights == {"abc123": 5.0, "def456": 0.0}
    assert states(kept_deliveries(here))[1:] == [
        ("rollback", "superseded"),
        ("created", "superseded"),
        ("rollback", "delivered"),
    ]


@pytest.mark.clause("LI-92")
def test_a_new_rollout_waits_until_the_old_one_is_out() -> None:
    """Nobody is exposed to a second candidate while the router may still serve the first."""
    here = world()
    router = routed(here)
    first = created(here).rollout
    delivered(here, router)
    rollback(first.id, ANN, here.house)
    created(here, candidate="def456")
    router.faults = [DOWN, DOWN]

    for _ in range(3):
        delivered(here, router)
        here.clock.advance(60)

    assert told(router) == [("created", 5.0), ("rollback", 0.0), ("created", 5.0)]


@pytest.mark.clause("LI-95")
def test_a_sender_that_dies_leaves_a_lease_that_ends() -> None:
    """The same id and bytes are sent again, and not before the dead one's program must be over."""
    here = world()
    router = routed(here)
    created(here)

    def die(_: Message) -> None:
        raise KeyboardInterrupt

    router.meanwhile = die
    with pytest.raises(KeyboardInterrupt):
        delivered(here, router)
    router.meanwhile = lambda _: None
    during = delivered(here, router)
    here.clock.advance(41)
    delivered(here, router)

    first, second = router.reached
    assert (during, first) == ((), second)
    assert told(router) == [("created", 5.0)]


@pytest.mark.clause("LI-95")
def test_two_senders_send_each_message_once(tmp_path: Path) -> None:
    """While one sends, the other finds nothing of that app to do."""
    here = World(sqlite_store(tmp_path))
    router = routed(here)
    rollout = created(here).rollout
    promoted_step(here, rollout.id)
    beside: list[object] = []
    router.meanwhile = lambda _: beside.append(deliver(here.house, {Kind.COMMAND: Router()}, EVERYTHING))

    delivered(here, router)

    assert beside == [(), ()]
    assert told(router) == [("created", 5.0), ("promote", 25.0)]


@pytest.mark.clause("LI-95")
def test_who_comes_back_too_late_settles_nothing() -> None:
    """Its lease has ended and another has sent the message since."""
    here = world()
    router, other = routed(here), Router()
    created(here)

    def overtake(_: Message) -> None:
        here.clock.advance(60)
        delivered(here, other)

    router.meanwhile = overtake
    router.faults = [DOWN]
    (late,) = delivered(here, router)

    assert told(other) == [("created", 5.0)]
    assert late.delivery.state is State.DELIVERED
    assert [(each.state, each.error) for each in kept_deliveries(here)] == [(State.DELIVERED, "")]


@pytest.mark.clause("LI-95")
def test_a_rollback_waits_for_what_is_under_way_and_comes_last() -> None:
    """A promotion that the router is just carrying out must not land after it."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout

    def roll_back(message: Message) -> None:
        if message.event is Event.CREATED:
            rollback(rollout.id, ANN, here.house)

    router.meanwhile = roll_back

    delivered(here, router)

    assert told(router) == [("created", 5.0), ("rollback", 0.0)]


@pytest.mark.clause("LI-96")
def test_a_pass_is_bounded() -> None:
    """By a number of messages, by an app, and by time; yet it sends the most urgent, however long it came too late."""
    here = world()
    for name in ("one", "two", "three", "four"):
        routed(here, name)
        created(here, app=name)
    router = Router(meanwhile=lambda _: here.clock.advance(4))

    by_app = delivered(here, router, Bounds(app="two"))
    by_count = delivered(here, router, Bounds(messages=1))
    by_time = delivered(here, router, Bounds(seconds=0))

    assert [len(each) for each in (by_app, by_count, by_time)] == [1, 1, 1]
    assert len(delivered(here, router)) == 1
    assert by_app[0].message.app == "two"


@pytest.mark.clause("LI-96")
def test_the_app_with_something_urgent_is_told_first() -> None:
    """Whoever else has waited longer."""
    here = world()
    for name in ("one", "two"):
        routed(here, name)
    created(here, app="one")
    rollout = created(here, app="two").rollout
    rollback(rollout.id, ANN, here.house)

    (first,) = delivered(here, Router(), Bounds(messages=1))

    assert (first.message.app, first.message.event) == ("two", Event.ROLLBACK)


@pytest.mark.clause("LI-100")
def test_an_actuator_that_is_replaced_is_told_what_the_old_one_was_not() -> None:
    """An app has one; declaring the same again changes nothing."""
    here = world()
    router = routed(here)
    created(here)
    router.faults = [DOWN]
    delivered(here, router)
    here.clock.advance(60)
    other = set_actuator(APP, Program(argv=("/srv/other.sh",), folder="/srv"), ANN, here.house)
    same = set_actuator(APP, Program(argv=("/srv/other.sh",), folder="/srv"), ANN, here.house)

    (sent,) = delivered(here, router)

    assert (sent.endpoint, same) == (other.endpoint, other)
    assert told(router) == [("created", 5.0)]


@pytest.mark.clause("LI-100")
def test_an_actuator_that_is_removed_is_told_nothing_any_more() -> None:
    """What it was not told is superseded; removing it again is answered by nothing."""
    here = world()
    router = routed(here)
    created(here)

    removed = [remove_actuator(APP, ANN, here.house).endpoint is not None for _ in range(2)]

    assert removed == [True, False]
    assert (delivered(here, router), untold(here.house)) == ((), ())
    assert states(kept_deliveries(here)) == [("created", "superseded")]


@pytest.mark.clause("LI-100")
def test_the_present_weight_is_told_again_on_request() -> None:
    """Also to a program that was declared after it was decided; the same message, and no older one."""
    here = world()
    rollout = created(here).rollout
    promoted_step(here, rollout.id)
    router = routed(here)

    for _ in range(2):
        tell_again(APP, here.house)
        delivered(here, router)

    first, second = router.told
    assert first == second
    assert told(router)[0] == ("promote", 25.0)


@pytest.mark.clause("LI-100")
def test_without_a_rollout_there_is_nothing_to_tell_again() -> None:
    """Nobody has asked for a weight yet."""
    here = world()
    routed(here)

    assert tell_again(APP, here.house) is None


ENDPOINT = Endpoint(id="end_1", app=None, kind=Kind.COMMAND, argv=("x",), folder="/", since=0)
EVENTS = [Event.CREATED, Event.PROMOTE, Event.REDUCE, Event.ROLLBACK]


@pytest.mark.clause("LI-91", "LI-92")
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(EVENTS)), max_size=9), st.randoms(use_true_random=False))
def test_whatever_fails_nothing_older_is_sent_after_what_was_delivered(
    told_of: list[tuple[int, Event]], draw: Random
) -> None:
    """And in the end nothing waits: the last message was delivered, and the last that takes traffic away."""
    lane: list[Delivery] = []
    for place, (number, event) in enumerate(told_of):
        message = Message(
            id=f"evt_{place}", app="web", rollout_id=f"rol_{number}", seq=place, event=event, at=place, body=b""
        )
        lane += addressed(message, (ENDPOINT,))
    now, done = 100, []
    while lane:
        choice = choose(lane, now)
        lane = [each for each in lane if each not in choice.superseded]
        now += HOUR
        if choice.following is None:
            continue
        assert choice.following in lane
        if draw.random() < 0.5:
            place = lane.index(choice.following)
            done.append(choice.following.seq)
            lane = lane[place + 1 :]
        else:
            taken = claimed(choice.following, ENDPOINT, now)
            lane = [taken if each is choice.following else each for each in lane]
            assert choose(lane, now) == Choice()

    assert done == sorted(done)
    urgent = [place for place, (_, event) in enumerate(told_of) if event in (Event.REDUCE, Event.ROLLBACK)]
    assert not urgent or urgent[-1] in done
    assert not told_of or done[-1] == len(told_of) - 1
