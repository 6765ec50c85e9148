# SPDX-License-Identifier: Apache-2.0
"""Deliveries and attempts at them come in; when each is tried again, and by whom, must be as it was promised."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.delivery import (
    UNHEARD,
    Carried,
    Delivery,
    State,
    Try,
    addressed,
    again,
    claimed,
    hastened,
    settled,
    superseded,
    unheard,
)
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.instant import HOUR, SECOND
from lockgate.core.lane import Choice, choose, is_taken_back, outdated
from lockgate.core.outbox import Message
from lockgate.core.retry import JITTER, PATIENCE, URGENT_WEBHOOK_WAITS, WEBHOOK_WAITS, wait_after
from lockgate.core.transition import Event
from lockgate.core.webhook import Webhook

NOW = 1_790_000_000_000
DUE = Delivery(
    message_id="msg_1",
    endpoint_id="end_1",
    app="claims-agent",
    rollout_id="rol_1",
    seq=1,
    event=Event.PROMOTE,
    at=NOW,
    due_at=NOW,
)
ACTUATOR = Endpoint(id="end_1", app="claims-agent", kind=Kind.COMMAND, argv=("shift",), since=0, timeout_s=2.5)
FAILED = Carried(fault="connection refused")


def at(event: Event, number: int, **fields: Any) -> Delivery:
    """Return a delivery of an event, which is the number-th of its lane."""
    return replace(DUE, message_id=f"msg_{number}", event=event, seq=number, at=NOW + number, **fields)


@pytest.mark.clause("LI-95")
def test_a_lease_lasts_for_the_endpoints_time_and_ten_seconds_and_not_longer_by_a_clock_that_went_back() -> None:
    """Until then nobody else sends it; from then on anybody may."""
    begun = claimed(replace(DUE, due_at=NOW + HOUR), ACTUATOR, NOW)
    end = NOW + 12_500

    assert (begun.attempts, begun.tried_at, begun.leased_until, begun.is_early) == (1, NOW, end, False)
    assert type(begun.leased_until) is int
    assert [begun.is_leased(when) for when in (NOW - 1, NOW, end - 1, end)] == [False, True, True, False]
    assert not replace(begun, state=State.DELIVERED).is_leased(NOW)


@pytest.mark.clause("LI-94")
@pytest.mark.parametrize(
    ("attempts", "due_at", "tried_at", "is_due"),
    [
        (0, NOW + 1, 0, True),
        (1, NOW + 1, 0, False),
        (1, NOW, 0, True),
        (1, NOW + 1, NOW, False),
        (1, NOW + 1, NOW + 1, True),
    ],
)
def test_what_was_never_tried_or_whose_wait_is_over_is_due(
    attempts: int, due_at: int, tried_at: int, is_due: bool
) -> None:
    """So is what was tried by a clock that has been set back since."""
    waiting = replace(DUE, attempts=attempts, due_at=due_at, tried_at=tried_at)

    assert waiting.is_due(NOW) is is_due
    assert claimed(waiting, ACTUATOR, NOW).is_early is not is_due


@pytest.mark.clause("LI-94")
def test_what_was_carried_out_is_over_and_keeps_what_was_said() -> None:
    """The end of a long answer, the first of a long fault, and the latest ten attempts are kept."""
    tries = tuple(Try(at=number, took_ms=0) for number in range(10))
    begun = replace(claimed(DUE, ACTUATOR, NOW), tries=tries, error="once", held_until=NOW + 9, is_early=True)

    done = settled(begun, Carried(output="x" + "y" * 4_096, code=200), NOW + 30)

    assert (done.state, done.error, done.output) == (State.DELIVERED, "", "y" * 4_096)
    assert (done.leased_until, done.held_until, done.is_early) == (0, 0, False)
    assert done.tries == (*tries[1:], Try(at=NOW, took_ms=30, code=200))
    failed = settled(begun, Carried(fault="z" * 501, code=500), NOW - 1)
    assert failed.tries[-1] == Try(at=NOW, took_ms=0, code=500, error="z" * 500)
    assert failed.error == "z" * 500


@pytest.mark.clause("LI-94")
def test_waits_double_up_to_their_longest_until_patience_ends() -> None:
    """A message waits at most 12 hours at a time and 72 in all, a rollback 5 minutes at a time."""
    waits = [wait_after(Kind.COMMAND, number, "", is_urgent=False) for number in range(1, 40)]
    urgent = [wait_after(Kind.COMMAND, number, "", is_urgent=True) for number in range(1, 13)]
    given = [wait for wait in waits if wait is not None]

    assert given[:4] == [5 * SECOND, 10 * SECOND, 20 * SECOND, 40 * SECOND]
    assert (max(given), sum(given) <= PATIENCE < sum(given) + 12 * HOUR) == (12 * HOUR, True)
    assert waits[len(given) :] == [None] * (39 - len(given))
    assert urgent == [SECOND << n for n in range(9)] + [300 * SECOND] * 3


@pytest.mark.clause("WH-31")
@pytest.mark.parametrize(("is_urgent", "waits"), [(False, WEBHOOK_WAITS), (True, URGENT_WEBHOOK_WAITS)])
def test_waits_of_webhooks_are_those_of_the_standard_spread_by_a_fifth(is_urgent: bool, waits: tuple[int, ...]) -> None:
    """Each endpoint's wait is its own, and the same whenever it is asked for."""
    spread = set()
    for number, wait in enumerate(waits, 1):
        drawn = [wait_after(Kind.WEBHOOK, number, f"msg_{n}", is_urgent=is_urgent) for n in range(50)]
        assert all(each is not None and abs(each - wait) <= JITTER * wait for each in drawn)
        assert drawn == [wait_after(Kind.WEBHOOK, number, f"msg_{n}", is_urgent=is_urgent) for n in range(50)]
        spread.add(len(set(drawn)))
        assert max(filter(None, drawn)) - min(filter(None, drawn)) > JITTER * wait
    assert min(spread) > 40
    assert wait_after(Kind.WEBHOOK, len(waits) + 1, "msg_1", is_urgent=is_urgent) is None


@pytest.mark.clause("WH-31")
@pytest.mark.parametrize(
    ("asked", "held"), [(None, 0), (0.0, 0), (0.0004, 0), (7.5, 7_500), (3_600.0, 3_600_000), (9e9, 3_600_000)]
)
def test_who_asks_for_time_is_given_it_for_an_hour_at_most(asked: float | None, held: int) -> None:
    """What is asked for is no shorter than the wait, and holds back tries that are made by hand as well."""
    begun = claimed(DUE, ACTUATOR, NOW)

    waiting = settled(begun, replace(FAILED, retry_after_s=asked), NOW + 1)

    assert waiting.held_until == (NOW + 1 + held if held else 0)
    assert waiting.due_at == NOW + 1 + max(5 * SECOND, held)
    assert (type(waiting.due_at), waiting.waits, waiting.state) == (int, 1, State.DUE)


@pytest.mark.clause("WH-31")
@pytest.mark.parametrize(
    ("due_in", "held_in", "asked", "due", "held"),
    [(9, 0, None, 9, 0), (9, 5, None, 9, 5), (9, 15, None, 15, 15), (9, 5, 0.02, 20, 20), (9, -5, None, 9, 0)],
)
def test_a_try_before_its_wait_is_over_begins_no_other_wait(
    due_in: int, held_in: int, asked: float | None, due: int, held: int
) -> None:
    """It waits on as it did, or for as long as it was asked to."""
    early = replace(DUE, is_early=True, waits=3, due_at=NOW + due_in, held_until=NOW + held_in)

    waiting = settled(early, replace(FAILED, retry_after_s=asked), NOW)

    assert (waiting.due_at, waiting.held_until) == (NOW + due, NOW + held if held else 0)
    assert (waiting.waits, waiting.is_early, waiting.state) == (3, False, State.DUE)


@pytest.mark.clause("LI-94")
def test_what_has_waited_for_three_days_is_dead_and_asks_for_no_time() -> None:
    """It can be tried again from its beginning."""
    begun = replace(claimed(DUE, ACTUATOR, NOW), waits=100)

    dead = settled(begun, replace(FAILED, retry_after_s=5), NOW)
    fresh = again(replace(dead, leased_until=NOW + 1, held_until=NOW + 1), NOW + 5)

    assert (dead.state, dead.held_until, dead.error) == (State.DEAD, 0, "connection refused")
    assert (fresh.state, fresh.attempts, fresh.waits, fresh.due_at) == (State.DUE, 0, 0, NOW + 5)
    assert (fresh.leased_until, fresh.held_until) == (0, 0)


@pytest.mark.clause("WH-314")
@given(kind=st.sampled_from(Kind), heard=st.integers(0, 3), lost=st.integers(0, 5))
def test_the_third_sender_in_a_row_that_ended_makes_a_failed_try_of_it(kind: Kind, heard: int, lost: int) -> None:
    """Not while a sender may be at it, nor twice; whoever saw the end of a try, or asks anew, begins the count anew."""
    left, now = DUE, NOW
    for number in range(heard + lost):
        left = claimed(left, ACTUATOR, now)
        left = settled(left, FAILED, now) if number < heard else left
        now += HOUR
    failed = settled(left, Carried(fault=UNHEARD), now, kind)
    last = Try(at=left.tried_at, took_ms=left.leased_until - left.tried_at, error=UNHEARD)
    failed = replace(failed, ended=left.ended, tries=(*failed.tries[:-1], last))

    assert left.ended == max(0, lost - 1)
    assert unheard(left, now, kind) == (failed if lost >= 3 else left)
    assert unheard(left, left.tried_at, kind) == left
    assert unheard(failed, now, kind) == failed
    assert [settled(left, FAILED, now).ended, again(left, now).ended] == [0, 0]


@pytest.mark.clause("LI-94")
def test_only_what_waits_is_hastened() -> None:
    """What is under way, or due, is left as it is."""
    waiting = replace(DUE, attempts=1, due_at=NOW + HOUR)
    under_way = replace(waiting, tried_at=NOW - 1, leased_until=NOW + 1)
    due = replace(DUE, attempts=1)

    assert hastened(waiting, NOW) == replace(waiting, is_early=True)
    assert (hastened(under_way, NOW), hastened(due, NOW)) == (under_way, due)


@pytest.mark.clause("LI-91")
def test_what_is_never_sent_any_more_says_why() -> None:
    """In as many words as an error may have."""
    over = superseded(replace(DUE, leased_until=NOW), "w" * 501)

    assert (over.state, over.leased_until, over.error) == (State.SUPERSEDED, 0, "w" * 500)


def test_an_endpoint_that_is_gone_says_so_by_one_status() -> None:
    """No other status means it."""
    assert [code for code in (None, *range(100, 600)) if Carried(code=code).is_gone] == [410]


@pytest.mark.clause("LI-90")
@pytest.mark.parametrize("event", Event)
def test_each_endpoint_that_hears_an_event_has_a_delivery_of_it(event: Event) -> None:
    """It is of the message and of the endpoint, due at once, and asks for a weight where the event is a move."""
    moves = {Event.CREATED, Event.PROMOTE, Event.REDUCE, Event.ROLLBACK}
    other = replace(ACTUATOR, id="end_2", app="search")
    message = Message(id="msg_1", app="claims-agent", rollout_id="rol_1", seq=1, event=event, at=NOW, body=b"{}")

    made = addressed(message, (ACTUATOR, other))

    assert made == ((replace(DUE, event=event),) if event in moves else ())
    assert replace(DUE, event=event).is_weight is (event in moves)
    assert replace(DUE, event=event).is_urgent is (event in {Event.REDUCE, Event.ROLLBACK})


WEBHOOK = replace(
    ACTUATOR, kind=Kind.WEBHOOK, argv=(), webhook=Webhook(url="https://hooks.example", secret=b"s", well_since=NOW + 50)
)
KINDS = (Event.PROMOTE, Event.ROLLBACK, Event.REDUCE, Event.PAUSE)
LATER = NOW + HOUR


@pytest.mark.clause("LI-91")
@pytest.mark.parametrize(("older", "newer"), list(product(KINDS, KINDS)))
@pytest.mark.parametrize("is_same", [True, False])
def test_what_takes_traffic_away_takes_back_what_gave_it(older: Event, newer: Event, is_same: bool) -> None:
    """Of its own rollout whatever is older, of another one what asks for a weight and takes none away."""
    old = at(older, 1)
    new = at(newer, 2, rollout_id="rol_1" if is_same else "rol_2")
    takes = newer in {Event.ROLLBACK, Event.REDUCE} and (is_same or older is Event.PROMOTE)

    assert is_taken_back(old, new) is takes
    assert not is_taken_back(new, replace(old, event=Event.ROLLBACK, rollout_id=new.rollout_id))
    weights = older is not Event.PAUSE and newer is not Event.PAUSE
    assert outdated((old,), new) == ((old,) if takes or weights else ())


@pytest.mark.clause("LI-91")
def test_a_lane_is_sent_in_its_order_but_for_what_is_urgent() -> None:
    """The first waits for nobody, what is behind it waits for it, and what takes traffic away waits for neither."""
    first, second = at(Event.PAUSE, 1), at(Event.RESUME, 2)
    waiting = replace(first, attempts=1, due_at=LATER)
    gone = at(Event.ROLLBACK, 3, rollout_id="rol_2")

    assert choose((first, second), NOW) == Choice((), first)
    assert choose((waiting, second), NOW) == Choice()
    assert choose((waiting, second), LATER) == Choice((), waiting)
    assert choose((first, second, gone), NOW) == Choice((), gone)
    assert choose((first, second, replace(gone, attempts=1, due_at=LATER)), NOW) == Choice((), first)
    assert choose((at(Event.PROMOTE, 1), second, gone), NOW) == Choice((at(Event.PROMOTE, 1),), gone)
    assert choose((), NOW) == Choice()


@pytest.mark.clause("LI-92")
def test_a_command_ends_before_the_next_begins_and_a_webhook_hears_what_is_urgent_at_once() -> None:
    """But one thing that is urgent waits for another that is under way."""
    under_way = replace(at(Event.PAUSE, 1), attempts=1, tried_at=NOW, leased_until=LATER)
    plain, urgent = at(Event.RESUME, 2), at(Event.REDUCE, 3, rollout_id="rol_2")
    urgent_under_way = replace(at(Event.REDUCE, 1), attempts=1, tried_at=NOW, leased_until=LATER)

    assert choose((under_way, plain, urgent), NOW) == Choice()
    assert choose((under_way, plain, urgent), NOW, ACTUATOR) == Choice()
    assert choose((under_way, plain, urgent), NOW, WEBHOOK) == Choice((), urgent)
    assert choose((under_way, plain), NOW, WEBHOOK) == Choice()
    assert choose((urgent_under_way, plain, urgent), NOW, WEBHOOK) == Choice()


@pytest.mark.clause("LI-94")
@pytest.mark.parametrize(
    ("tried_at", "held_until", "endpoint", "now", "is_tried"),
    [
        (NOW + 49, 0, WEBHOOK, NOW + 60, True),
        (NOW + 50, 0, WEBHOOK, NOW + 60, False),
        (NOW + 49, 0, WEBHOOK, NOW + 50, True),
        (NOW + 49, 0, ACTUATOR, NOW + 60, False),
        (NOW + 49, 0, None, NOW + 60, False),
        (NOW + 49, NOW + 60, WEBHOOK, NOW + 60, True),
        (NOW + 49, NOW + 61, WEBHOOK, NOW + 60, False),
        (NOW, 0, WEBHOOK, NOW + 1, False),
    ],
)
def test_a_receiver_that_is_well_again_is_tried_once_before_the_wait_is_over(
    tried_at: int, held_until: int, endpoint: Endpoint | None, now: int, is_tried: bool
) -> None:
    """Once for each time that it became well, not by what lies ahead of the clock, and not while it asked for time."""
    waiting = at(Event.PAUSE, 1, attempts=1, due_at=LATER, tried_at=tried_at, held_until=held_until)

    assert choose((waiting,), now, endpoint).following == (waiting if is_tried else None)


@pytest.mark.clause("LI-94")
def test_a_newer_message_is_a_reason_to_try_the_first_once_more() -> None:
    """One from before the last try is none."""
    newer = at(Event.RESUME, 5)
    before, after = (at(Event.PAUSE, 1, attempts=1, due_at=LATER, tried_at=newer.at + by) for by in (-1, 0))

    assert choose((before, newer), NOW + 9).following == before
    assert choose((after, newer), NOW + 9).following is None
    assert choose((replace(after, is_early=True), newer), NOW + 9).following == replace(after, is_early=True)
    assert choose((replace(before, due_at=LATER), replace(newer, at=NOW + 10)), NOW + 9).following is None


def _taken_back_by_the_rule(lane: tuple[Delivery, ...]) -> tuple[Delivery, ...]:
    return tuple(
        each for place, each in enumerate(lane) if any(is_taken_back(each, newer) for newer in lane[place + 1 :])
    )


@pytest.mark.clause("LI-91")
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(["rol_1", "rol_2", "rol_3"])), max_size=8))
def test_in_any_lane_exactly_what_a_newer_one_takes_back_is_never_sent(kinds: list[tuple[Event, str]]) -> None:
    """Whoever is looked at first, and however many take the same back."""
    lane = tuple(at(event, number, rollout_id=name) for number, (event, name) in enumerate(kinds, 1))

    choice = choose(lane, NOW + 10)

    assert choice.superseded == _taken_back_by_the_rule(lane)
    left = [each for each in lane if each not in choice.superseded]
    urgent = [each for each in left if each.is_urgent]
    assert choice.following == next(iter(urgent or left), None)


@pytest.mark.clause("WH-31")
def test_the_schedule_of_webhooks_is_the_published_one() -> None:
    """In minutes behind the first seconds: 5, 30, then 2, 5, 10, 14, 20 and 24 hours."""
    tail = [minutes * 60_000 for minutes in (5, 30, 120, 300, 600, 840, 1_200, 1_440)]

    assert list(WEBHOOK_WAITS) == [5_000, *tail]
    assert list(URGENT_WEBHOOK_WAITS) == [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, *tail]
    drawn = [wait_after(Kind.WEBHOOK, 1, f"msg_{number}", is_urgent=False) for number in range(50)]
    assert {type(each) for each in drawn} == {int}
