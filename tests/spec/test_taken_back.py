# SPDX-License-Identifier: Apache-2.0
"""Messages that overtake each other come in; nobody is told a weight of a rollout after it was taken back."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.decision.intervention import Seen
from lockgate.core.delivery import Carried, Delivery, State, addressed, claimed, settled
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import HOUR
from lockgate.core.lane import choose, is_taken_back, outdated
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS, Webhook
from lockgate.errors import NotPermittedError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import deliver
from lockgate.operations.webhooks.deliveries import deliveries_of, recover, redeliver
from lockgate.testing.recipients import Recipients
from lockgate.testing.world import World
from tests.spec.line import created, trial_of, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, kept_deliveries, states
from tests.spec.webhooked import hooked

URL = "https://hooks.example.com/"
DOWN = Carried(fault="it is down")
HOOK = Endpoint(id="end_1", app=None, kind=Kind.WEBHOOK, since=0, webhook=Webhook(url=URL, secret=b""))
# Of an app, and without a weight.
OF_APP = frozenset({Event.FREEZE, Event.UNFREEZE})
TAKES = (Event.REDUCE, Event.ROLLBACK)
GIVES = (Event.CREATED, Event.PROMOTE)
# What is never told after a newer event: of its own rollout everything that says a weight, of another one what gives.
TAKEN_BACK = {(old, new, True) for old, new in product(set(EVENTS) - OF_APP, TAKES)} | {
    (old, new, False) for old, new in product(GIVES, TAKES)
}


def delivery(place: int, event: Event, rollout: str, seq: int) -> Delivery:
    """Return the delivery of an event that nobody has tried; what is of an app is of a series of its own."""
    series = "app" if event in OF_APP else rollout
    message = Message(id=f"evt_{place}", app="web", rollout_id=series, seq=seq, event=event, at=place, body=b"")
    return addressed(message, (HOOK,))[0]


@pytest.mark.clause("WH-303")
@pytest.mark.parametrize("is_same", [True, False], ids=["same-rollout", "other-rollout"])
@pytest.mark.parametrize("new", EVENTS)
@pytest.mark.parametrize("old", EVENTS)
def test_each_event_is_left_out_after_those_that_take_its_weight_back(old: Event, new: Event, *, is_same: bool) -> None:
    """Of every pair, while both wait and when the newer one was delivered first."""
    lane = (delivery(1, old, "rol_1", 1), delivery(2, new, "rol_1" if is_same else "rol_2", 2))
    is_taken_back = (old, new, is_same) in TAKEN_BACK
    is_older_weight = old in (*GIVES, *TAKES) and new in (*GIVES, *TAKES)

    waiting = choose(lane, 100, HOOK).superseded
    after = outdated(lane[:1], lane[1])

    assert waiting == (lane[:1] if is_taken_back else ())
    assert after == (lane[:1] if is_taken_back or is_older_weight else ())


@pytest.mark.clause("WH-303")
@pytest.mark.parametrize("event", TAKES)
def test_what_is_of_the_same_receipt_is_told_after_it(event: Event) -> None:
    """That the rollout has ended says no other weight than what ended it."""
    lane = (delivery(1, event, "rol_1", 4), delivery(2, Event.COMPLETED, "rol_1", 4))

    assert choose(lane, 100, HOOK).superseded == ()
    assert outdated(lane[1:], lane[0]) == ()


@pytest.mark.clause("WH-303")
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(list(EVENTS))), max_size=20))
def test_of_a_whole_lane_is_left_out_what_any_pair_leaves_out(told_of: list[tuple[int, Event]]) -> None:
    """However many wait, and of however many rollouts."""
    lane = [delivery(at, event, f"rol_{number}", at) for at, (number, event) in enumerate(told_of)]

    left_out = choose(lane, 100, HOOK).superseded

    assert left_out == tuple(
        each for at, each in enumerate(lane) if any(is_taken_back(each, newer) for newer in lane[at + 1 :])
    )


@pytest.mark.clause("WH-303")
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(list(EVENTS))), min_size=1, max_size=9),
    st.randoms(use_true_random=False),
)
def test_whatever_fails_no_weight_is_told_after_it_was_taken_back(
    told_of: list[tuple[int, Event]], draw: Random
) -> None:
    """And everything is told that nothing took back, also what was given up and is sent again."""
    lane = [delivery(at, event, f"rol_{number}", at) for at, (number, event) in enumerate(told_of)]
    told: list[Delivery] = []
    left, now = list(lane), 100
    for _ in range(200):
        choice = choose(left, now, HOOK)
        left = [each for each in left if each not in choice.superseded]
        now += 100 * HOUR
        if choice.following is None:
            continue
        taken = claimed(choice.following, HOOK, now)
        fault = None if draw.random() < 0.3 else "down"
        after = settled(taken, Carried(fault=fault), now, Kind.WEBHOOK)
        place = left.index(choice.following)
        if after.state is State.DELIVERED:
            told.append(choice.following)
            gone = outdated(left[:place], choice.following)
            left = [each for each in left if each not in (*gone, choice.following)]
        else:
            left[place] = after if after.state is State.DUE else delivery(*_again(lane, after))

    seqs = {(each.rollout_id, each.seq) for each in told}
    for at, each in enumerate(told):
        before = [one for one in told[:at] if one.event in TAKES and one.rollout_id == each.rollout_id]
        assert each.event in OF_APP or all(one.seq < each.seq for one in before)
    for each in lane:
        is_taken = any(
            one.seq > each.seq and (each.event, one.event, one.rollout_id == each.rollout_id) in TAKEN_BACK
            for one in lane
        )
        is_weight = each.event in (*GIVES, *TAKES)
        assert (each.rollout_id, each.seq) in seqs or is_taken or is_weight


def _again(lane: list[Delivery], dead: Delivery) -> tuple[int, Event, str, int]:
    found = next(each for each in lane if each.message_id == dead.message_id)
    return found.at, found.event, found.rollout_id, found.seq


def stepped(here: World, rollout_id: str) -> None:
    """Move a rollout one step forward."""
    rollout = trial_of(here, rollout_id).rollout
    promote(rollout_id, Seen(rollout.step, rollout.revision), ANN, here.house)


def sent(here: World, receivers: Recipients) -> None:
    """Let one sender send what is due."""
    deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)


@pytest.mark.clause("WH-303")
@pytest.mark.usefixtures("each_store")
def test_a_completed_promotion_is_not_told_after_its_rollback() -> None:
    """A receiver that reads the weight of what has ended would send all traffic to the bad release."""
    here, receivers = world(), Recipients()
    hooked(here, receivers, URL)
    rollout = created(here, policy={"steps": [{"weight": 50}, {"weight": 100}]}).rollout
    sent(here, receivers)
    receivers.answers = [DOWN]
    stepped(here, rollout.id)
    sent(here, receivers)
    rollback(rollout.id, ANN, here.house)

    sent(here, receivers)

    told = [(event.event.value, event.data["weight"]) for _, event in receivers.came[2:]]
    assert told == [("rollout.rollback", 0), ("rollout.completed", 0)]
    assert states(kept_deliveries(here))[1:] == [
        ("promote", "superseded"),
        ("completed", "superseded"),
        ("rollback", "delivered"),
        ("completed", "delivered"),
    ]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-313")
@pytest.mark.usefixtures("each_store")
@pytest.mark.parametrize("answers", [[], [DOWN], [DOWN, DOWN]])
def test_who_hears_of_ends_alone_does_not_stay_with_promoted(answers: list[Carried]) -> None:
    """In order, whatever failed before: the last end that comes is the one that holds."""
    here, receivers = world(), Recipients()
    hooked(here, receivers, URL, events=(Event.COMPLETED,))
    rollout = created(here, policy={"steps": [{"weight": 50}, {"weight": 100}]}).rollout
    receivers.answers = [*answers]
    stepped(here, rollout.id)
    sent(here, receivers)
    rollback(rollout.id, ANN, here.house)

    for _ in answers:
        sent(here, receivers)
        here.clock.advance(3_600)
    sent(here, receivers)

    came = [event.data["status"] for _, event in receivers.came]
    assert came[-2:] == ["promoted", "rolled_back"]
    assert len({event.id for _, event in receivers.came}) == 2
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-304")
@pytest.mark.usefixtures("each_store")
def test_what_was_taken_back_is_not_sent_again_on_request() -> None:
    """Neither by its id nor with everything that was given up."""
    here, receivers = world(), Recipients(answers=[Carried(code=200), *[DOWN] * 10])
    identity = hooked(here, receivers, URL).endpoint.id
    rollout = created(here).rollout
    sent(here, receivers)
    pause(rollout.id, ANN, here.house)
    while (waits := kept_deliveries(here, State.DUE)) != ():
        here.clock.advance(max(0, waits[0].due_at - here.clock.now()) / 1_000)
        sent(here, receivers)
    (dead,) = kept_deliveries(here, State.DEAD)
    receivers.answers.clear()
    rollback(rollout.id, ANN, here.house)
    sent(here, receivers)
    came = len(receivers.came)

    found = recover(identity, dead.at, here.house)
    with pytest.raises(NotPermittedError, match="a newer one was asked for"):
        redeliver(identity, dead.message_id, here.house)
    sent(here, receivers)

    assert (found, len(receivers.came)) == (0, came)
    assert deliveries_of(identity, here.house, State.SUPERSEDED)[0].message_id == dead.message_id
