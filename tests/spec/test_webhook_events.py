# SPDX-License-Identifier: Apache-2.0
"""Rollouts move, wait and end; each thing that somebody must hear of is told once, in an order that does no harm."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lockgate.core.decision.intervention import Seen
from lockgate.core.delivery import Carried, State
from lockgate.core.endpoint import MOVES, Endpoint, Kind
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.errors import NotPermittedError, TryAgainError, UnknownError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import Program
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.operations.webhooks.deliver import Bounds, deliver, ready
from lockgate.operations.webhooks.deliveries import deliveries_of, recover, redeliver
from lockgate.operations.webhooks.dispatch import OF_ORG, Dispatch, Room
from lockgate.operations.webhooks.try_webhook import try_webhook
from lockgate.ports.actuator import Actuators
from lockgate.testing.recipients import Recipients
from lockgate.testing.router import Router
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import APP, EQUAL, created, receipts, trial_of, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING, kept_deliveries, routed, states
from tests.spec.test_delivery import promoted_step
from tests.spec.webhooked import hooked

pytestmark = pytest.mark.usefixtures("each_store")
URL = "https://hooks.example.com/"
MANUAL = {"steps": [{"weight": 50, "approval": "manual"}, {"weight": 100}]}
REDUCES = {"gates": [{"metric": "error_rate", "breach": "reduce"}]}
HELD = {"steps": [{"weight": 50, "max_hold": "2h"}, {"weight": 100}]}
PAUSES = {"steps": [{"weight": 50, "max_hold": "1h", "on_deadline": "pause"}, {"weight": 100}]}
# What every canary can come to that asks for no weight, and the words for it.
TOLD = (Event.OVERDUE, Event.UNTOLD, Event.COMPLETED)
STALE, UNMOVED = "when its weight is not read back within max_stale", "when no router was told its weight"
DOWN = Carried(fault="it is down")


def events(here: World) -> list[str]:
    """Return what was told, in order."""
    with here.house.store.reading() as seen:
        return [each.event.value.partition(".")[2] for each in seen.messages()]


def last(here: World, event: Event) -> tuple[Message, dict[str, object]]:
    """Return the last message of an event, and its data."""
    with here.house.store.reading() as seen:
        message = [each for each in seen.messages() if each.event is event][-1]
    return message, dict(message.data)


def sent(here: World, receivers: Recipients, bounds: Bounds = EVERYTHING) -> None:
    """Let one sender send what is due."""
    deliver(here.house, {Kind.COMMAND: Router(), Kind.WEBHOOK: receivers}, bounds)


def came(receivers: Recipients) -> list[str]:
    """Return what reached a receiver, in order."""
    return [message.event.value.partition(".")[2] for _, message in receivers.came]


@pytest.mark.clause("WH-07")
def test_a_message_says_what_the_receipt_says() -> None:
    """In one form, by the names of the API; a rollback takes all traffic and ends the rollout."""
    here = world()
    rollout = created(here).rollout
    rollback(rollout.id, ANN, here.house)
    message, data = last(here, Event.ROLLBACK)
    receipt = receipts(here.house, rollout.id)[-1]

    said = json.loads(message.body)

    assert (said["type"], said["event"]) == ("rollout.rollback", "rollout.rollback")
    assert (said["receipt"], said["revision"]) == (receipt.id, 2)
    assert data["decision_event_id"] == receipt.id
    assert receipt.digest == f"sha256:{data['receipt_sha256']}"
    assert (data["rollout_id"], data["candidate_release"], data["baseline_release"]) == (rollout.id, "abc123", "v36")
    assert (data["weight"], data["terminal"], data["reason"]) == (0, True, "errors in the log")
    assert (data["seq"], data["log_index"], data["from_weight"]) == (receipt.seq, receipt.index, 5)
    assert len(message.body) < 20_000


@pytest.mark.clause("WH-08")
def test_a_step_that_waits_for_approval_tells_it_once() -> None:
    """By a receipt of its own, which replays; no more while it goes on to wait, nor after a pause."""
    here = world()
    rollout = created(here, policy=MANUAL).rollout
    here.walk(rollout.id, EQUAL, runs=4000, minutes=40)
    waiting, before = events(here), receipts(here.house, rollout.id)
    for _ in range(3):
        here.clock.advance(600)
        tick(rollout.id, here.house)
    pause(rollout.id, ANN, here.house)
    resume(rollout.id, ANN, here.house)
    tick(rollout.id, here.house)
    message, data = last(here, Event.APPROVAL_NEEDED)

    assert waiting == ["created", "approval_needed"]
    assert events(here) == ["created", "approval_needed", "pause", "resume"]
    assert data["decision_event_id"] in [each.id for each in before]
    assert (data["weight"], data["terminal"], message.seq) == (50, False, data["seq"])
    assert trial_of(here, rollout.id).rollout.revision == 3
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-08")
def test_an_approval_that_was_given_is_not_asked_for() -> None:
    """Whoever approves in good time is not called, and the promotion is told."""
    here = world()
    rollout = created(here, policy=MANUAL).rollout
    approve(rollout.id, Seen(0, 1), ANN, here.house)

    here.walk(rollout.id, EQUAL, runs=4000, minutes=40)

    assert events(here) == ["created", "promote", "completed"]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-08")
def test_a_step_that_holds_too_long_tells_it_once() -> None:
    """With why in words, and the receipt of the turn that found it."""
    here = world()
    rollout = created(here, policy=HELD).rollout
    tick(rollout.id, here.house)
    for _ in range(3):
        here.clock.advance(3_600 + 60)
        tick(rollout.id, here.house)
    _, data = last(here, Event.OVERDUE)

    assert events(here) == ["created", "overdue"]
    assert str(data["reason"]).startswith("50 % has held for 2 h")
    assert data["decision_event_id"] in [each.id for each in receipts(here.house, rollout.id)]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-08")
def test_in_shadow_mode_nothing_is_told() -> None:
    """Neither to routers nor to webhooks."""
    here = world()
    hooked(here, Recipients(), URL)
    rollout = created(here, policy={"mode": "shadow", **MANUAL}).rollout
    here.walk(rollout.id, EQUAL, runs=4000, minutes=40)

    assert (events(here), kept_deliveries(here)) == ([], ())


@pytest.mark.clause("WH-08")
def test_freezes_are_told() -> None:
    """With who is champion, by the receipt of the app's own series."""
    here = world()
    created(here)
    freeze(APP, ANN, here.house)
    unfreeze(APP, ANN, here.house)
    _, data = last(here, Event.FREEZE)

    assert events(here) == ["created", "freeze", "unfreeze"]
    assert (data["app"], data["frozen"]) == (APP, "errors in the log")
    assert {"champion", "decision_event_id", "seq", "log_index"} <= set(data)


@pytest.mark.clause("WH-35")
def test_a_rollback_overtakes_what_was_not_delivered_of_its_rollout() -> None:
    """What gave traffic, or says that there is some, is never sent; what says nothing of it comes after, in order."""
    here, receivers = world(), Recipients(answers=[DOWN])
    hooked(here, receivers, URL)
    rollout = created(here).rollout
    pause(rollout.id, ANN, here.house)
    resume(rollout.id, ANN, here.house)
    promoted_step(here, rollout.id)
    freeze(APP, ANN, here.house)
    sent(here, receivers, Bounds(messages=1))
    rollback(rollout.id, ANN, here.house)

    sent(here, receivers)

    assert came(receivers) == ["created", "rollback", "freeze", "completed"]
    assert states(kept_deliveries(here, State.SUPERSEDED)) == [
        ("created", "superseded"),
        ("pause", "superseded"),
        ("resume", "superseded"),
        ("promote", "superseded"),
    ]
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("WH-35")
def test_what_takes_traffic_away_is_tried_more_often_at_first() -> None:
    """Within seconds, then as everything else."""
    here, receivers = world(), Recipients(answers=[DOWN] * 20)
    hooked(here, receivers, URL, events=(Event.ROLLBACK,))
    rollback(created(here).rollout.id, ANN, here.house)
    waits = []
    while (left := kept_deliveries(here)[0]).state is State.DUE:
        waits.append(round(max(0, left.due_at - here.clock.now()) / 1_000, 1))
        here.clock.advance(max(0.001, (left.due_at - here.clock.now()) / 1_000))
        sent(here, receivers)

    usual = [1, 2, 5, 10, 30, 60, 300, 1_800]
    assert waits[0] == 0
    assert all(0.79 * usual[at] <= wait <= 1.21 * usual[at] for at, wait in enumerate(waits[1:9]))
    assert 2.5 <= sum(waits) / 86_400 <= 4


@pytest.mark.clause("WH-36")
def test_what_was_given_up_is_sent_again_on_request() -> None:
    """One message, or everything since a time; the same message, from its first attempt on."""
    here, receivers = world(), Recipients(answers=[DOWN] * 10)
    identity = hooked(here, receivers, URL, events=(Event.CREATED,)).endpoint.id
    created(here)
    while kept_deliveries(here)[0].state is State.DUE:
        here.clock.advance(max(0, kept_deliveries(here)[0].due_at - here.clock.now()) / 1_000)
        sent(here, receivers)
    (dead,) = deliveries_of(identity, here.house, State.DEAD)

    late = recover(identity, dead.at + 1, here.house)
    found = recover(identity, dead.at, here.house)
    sent(here, receivers)
    again = redeliver(identity, dead.message_id, here.house)
    sent(here, receivers)

    assert (late, found, again.attempts) == (0, 1, 0)
    assert {message for _, message in receivers.came} == {receivers.came[0][1]}
    assert len(receivers.came) == 12
    assert states(deliveries_of(identity, here.house)) == [("created", "delivered")]


@pytest.mark.clause("WH-36")
def test_no_older_weight_is_sent_again_after_a_newer_one() -> None:
    """Whoever asks is told which is the latest; a rollback may be told again at any time."""
    here, receivers = world(), Recipients()
    identity = hooked(here, receivers, URL).endpoint.id
    rollout = created(here).rollout
    promoted_step(here, rollout.id)
    sent(here, receivers)
    promote, first = deliveries_of(identity, here.house)

    with pytest.raises(NotPermittedError, match="newer"):
        redeliver(identity, first.message_id, here.house)
    with pytest.raises(UnknownError):
        redeliver(identity, "evt_none", here.house)
    redeliver(identity, promote.message_id, here.house)
    sent(here, receivers)

    assert came(receivers) == ["created", "promote", "promote"]


@pytest.mark.clause("WH-37")
def test_a_ping_is_sent_at_once_and_kept_nowhere() -> None:
    """It asks for nothing, is no part of the log, and each has an id of its own."""
    here, receivers = world(), Recipients(answers=[Carried(code=200), Carried(fault="no", code=500)])
    identity = hooked(here, receivers, URL).endpoint.id

    tried = [try_webhook(identity, here.house, receivers) for _ in range(2)]

    assert [(each.carried.code, each.carried.fault) for each in tried] == [(200, None), (500, "no")]
    assert len({each.message_id for each in tried}) == 2
    assert came(receivers) == ["ping", "ping"]
    assert (events(here), kept_deliveries(here)) == ([], ())


@pytest.mark.clause("WH-37")
def test_only_so_many_are_tried_at_once() -> None:
    """Who comes then is told to come again, and holds up nobody."""
    here, is_over, both = world(), threading.Event(), threading.Barrier(3)

    class Slow(Recipients):
        def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
            both.wait(10)
            is_over.wait(10)
            return super().carry_out(endpoint, message)

    slow = Slow()
    identity = hooked(here, slow, URL).endpoint.id
    threads = [threading.Thread(target=try_webhook, args=(identity, here.house, slow)) for _ in range(2)]
    for thread in threads:
        thread.start()
    both.wait(10)

    with pytest.raises(TryAgainError):
        try_webhook(identity, here.house, slow)
    is_over.set()
    for thread in threads:
        thread.join(10)

    assert came(slow) == ["ping", "ping"]


class Silent(Recipients):
    """Receivers that answer when they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_over = threading.Event()
        self.begun = threading.Semaphore(0)

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Keep whoever sends waiting."""
        self.begun.release()
        assert self.is_over.wait(20)
        return super().carry_out(endpoint, message)


@pytest.mark.clause("WH-38")
@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_receiver_that_does_not_answer_keeps_no_router_waiting(tmp_path: Path, *, is_at_once: bool) -> None:
    """While all that is for webhooks waits, a rollback reaches the router; by a server and by a command."""
    here, silent, router = World(sqlite_store(tmp_path)), Silent(), Router()
    reached = threading.Event()
    router.meanwhile = lambda message: reached.set() if message.event is Event.ROLLBACK else None
    for _ in range(OF_ORG[Room.WEBHOOK] + 3):
        hooked(here, silent, URL)
    routed(here)
    rollout = created(here).rollout
    carriers: Actuators = {Kind.COMMAND: router, Kind.WEBHOOK: silent}
    dispatch = Dispatch(carriers, lambda: None, lambda _: None)
    dispatch.turn(here.house)
    for _ in range(OF_ORG[Room.WEBHOOK]):
        assert silent.begun.acquire(timeout=20)
    rollback(rollout.id, ANN, here.house)

    if is_at_once:
        dispatch.turn(here.house)
    else:
        passing = threading.Thread(target=deliver, args=(here.house, carriers, Bounds(at_once=8)), daemon=True)
        passing.start()
    is_told = reached.wait(20)
    silent.is_over.set()
    dispatch.settle(20)
    if not is_at_once:
        passing.join(20)

    assert is_told
    assert router.weights == {"abc123": 0.0}


@pytest.mark.clause("WH-35")
def test_a_rollback_does_not_wait_for_a_promote_that_is_under_way(tmp_path: Path) -> None:
    """It is sent beside it; whoever receives both knows by their places in the log which one is newer."""
    here, silent = World(sqlite_store(tmp_path)), Silent()
    hooked(here, silent, URL, events=(Event.CREATED, Event.PAUSE, Event.ROLLBACK))
    rollout = created(here).rollout
    dispatch = Dispatch({Kind.WEBHOOK: silent}, lambda: None, lambda _: None)
    dispatch.turn(here.house)
    assert silent.begun.acquire(timeout=20)
    pause(rollout.id, ANN, here.house)
    dispatch.turn(here.house)
    is_beside = silent.begun.acquire(timeout=0.2)
    rollback(rollout.id, ANN, here.house)

    dispatch.turn(here.house)
    is_overtaking = silent.begun.acquire(timeout=20)
    silent.is_over.set()
    dispatch.settle(20)

    assert (is_beside, is_overtaking) == (False, True)
    sent(here, silent)
    assert sorted(states(kept_deliveries(here))) == [
        ("created", "superseded"),
        ("pause", "superseded"),
        ("rollback", "delivered"),
    ]


@pytest.mark.clause("WH-38")
def test_one_endpoint_has_no_room_to_itself(tmp_path: Path) -> None:
    """However many apps it hears of, others are sent to beside it; in the end everything is sent."""
    here, silent = World(sqlite_store(tmp_path)), Silent()
    greedy = hooked(here, silent, URL).endpoint.id
    for number in range(20):
        created(here, app=f"app-{number}")
    other = hooked(here, silent, URL, app="app-20").endpoint.id
    created(here, app="app-20")
    is_due = threading.Event()
    dispatch = Dispatch({Kind.WEBHOOK: silent}, is_due.set, lambda _: None)

    dispatch.turn(here.house)
    for _ in range(5):
        assert silent.begun.acquire(timeout=20)
    is_more = silent.begun.acquire(timeout=0.2)
    silent.is_over.set()
    for _ in range(100):
        is_due.wait(5)
        is_due.clear()
        dispatch.turn(here.house)
        dispatch.settle(20)
        if not ready(here.house):
            break

    assert not is_more
    assert len(deliveries_of(greedy, here.house, State.DELIVERED)) == 21
    assert len(deliveries_of(other, here.house, State.DELIVERED)) == 1


@pytest.mark.clause("WH-42")
@pytest.mark.parametrize(
    ("policy", "heard", "said"),
    [
        ({}, None, ["which weight is asked for", f"told {STALE} or when it has ended: "]),
        (
            {},
            (Event.CREATED, Event.PROMOTE),
            ["rollout.rollback in", f"told {STALE}, {UNMOVED} or when it has ended: "],
        ),
        (
            {},
            (Event.ROLLBACK, *TOLD),
            [f"hears rollout.created and rollout.promote in {APP}, so that its traffic stays "],
        ),
        ({}, (Event.CREATED, Event.PROMOTE, Event.ROLLBACK), [f"told {STALE} or {UNMOVED}: "]),
        ({}, (*MOVES, Event.OVERDUE), [f"nobody is told {UNMOVED}: "]),
        ({}, (*MOVES, Event.UNTOLD), [f"nobody is told {STALE}: "]),
        ({}, (*MOVES, *TOLD), []),
        ({}, TOLD, ["which weight is asked for"]),
        (
            {"gates": [{"metric": "error_rate", "breach": "reduce"}]},
            (Event.PROMOTE, Event.ROLLBACK, *TOLD),
            ["rollout.created and rollout.reduce in"],
        ),
        (MANUAL, (*MOVES, *TOLD), ["is told when a step waits for approval: "]),
        (MANUAL, tuple(Event), []),
        (HELD, tuple(MOVES - {Event.REDUCE}), [f"told when a step holds beyond its max_hold, {STALE} or {UNMOVED}: "]),
        (PAUSES, (*MOVES, *TOLD), ["told when a breach, a limit or a deadline pauses it: "]),
        (PAUSES, (*MOVES, Event.PAUSE, Event.UNTOLD), [f"told when a step holds beyond its max_hold or {STALE}: "]),
        (PAUSES, tuple(Event), []),
        (
            REDUCES,
            (*(MOVES - {Event.REDUCE}), *TOLD),
            ["rollout.reduce in claims-agent, so that its traffic stays as it is when"],
        ),
        ({"mode": "shadow"}, None, []),
    ],
)
def test_create_says_what_nobody_hears(
    policy: dict[str, object], heard: tuple[Event, ...] | None, said: list[str]
) -> None:
    """Of what its policy can come to, and nothing else."""
    here = world()
    if heard is not None:
        hooked(here, Recipients(), URL, app=APP, events=heard)

    warnings = [each for each in created(here, policy=policy).warnings if each.startswith("nobody ")]

    assert [part in each for part, each in zip(said, warnings, strict=True)] == [True] * len(said)


@pytest.mark.clause("WH-42")
def test_a_program_that_is_declared_with_it_hears_every_weight() -> None:
    """And an actuator that is there already; neither is told of what waits for people."""
    here = world()
    program = Program(argv=("/srv/shift.sh",), folder="/srv")

    first = created(here, actuator=program)
    rollback(first.rollout.id, ANN, here.house)
    second = created(here, candidate="def456")

    for made in (first, second):
        assert [each for each in made.warnings if each.startswith("nobody ")] == [
            f"nobody is told {STALE} or {UNMOVED}: `lockgate webhooks create` says who is"
        ]
