# SPDX-License-Identifier: Apache-2.0
"""Senders that are killed, or work beside each other, on one store come in; receivers must be told all, by one id each.

Time is given to each process, so that waits of minutes and leases of seconds are over at once.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from lockgate.adapters.webhooks.secret_box import make_key
from lockgate.core.decision.intervention import Seen
from lockgate.core.delivery import State
from lockgate.core.webhook_url import ALLOW
from lockgate.errors import TryAgainError
from lockgate.operations.asking.queries import find_rollout
from lockgate.operations.create import Order, create
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook
from lockgate.ports.house import House
from lockgate.testing.told import untold_faults
from lockgate.wiring import actuators, receivers
from tests.faults.hostile_receiver import FAILS, OK, HostileReceiver, Way, drops, garbles, receiving, resets
from tests.faults.process import KILLED, ended, killed_at, started
from tests.faults.steps import POLICY, WHO, house_of

pytestmark = pytest.mark.faults

LOOPBACK = "127.0.0.0/8"
APPS, SENDERS = 4, 2
# A lease is over when the endpoint's time and some slack are, which is 25 s; in minutes.
IN_LEASE, AFTER_LEASE = 0.1, 0.5
MINUTE_S, PAUSE_S = 0.2, 0.02
OVER, LONGEST_S = "over", 300.0
MOST, CALM_TURNS, CALM_MINUTES = 5_000, 30, 60.0


def senders_house(folder: Path, minute: float) -> House:
    """Return a house whose messages reach this machine."""
    os.environ[ALLOW] = LOOPBACK
    return house_of(folder, minute)


def send(folder: Path, minute: float) -> None:
    """Send what is due at a time."""
    house = senders_house(folder, minute)
    deliver(house, actuators(folder), Bounds(messages=200, seconds=60.0))


def send_on(folder: Path, began: float) -> None:
    """Send what is due until all is over, at times that go on faster than that of the wall."""
    while not (folder / OVER).exists() and time.time() < began + LONGEST_S:
        try:
            send(folder, minute_of(began))
        except TryAgainError:
            time.sleep(PAUSE_S)
        time.sleep(PAUSE_S)


def minute_of(began: float) -> float:
    """Return what time it is, the same in every process: waits and leases are over soon."""
    return (time.time() - began) / MINUTE_S


@dataclass(frozen=True)
class Line:
    """A store with one webhook, and its receiver."""

    folder: Path
    name: str
    secret: str
    receiver: HostileReceiver

    def begin(self, app: str, candidate: str, minute: float = 0.0) -> str:
        """Put a canary on trial and return its id."""
        order = Order(app=app, candidate=candidate, baseline="v1", policy=POLICY)
        return create(order, house_of(self.folder, minute)).rollout.id

    def promote(self, rollout_id: str, minute: float) -> None:
        """Go one step on."""
        house = house_of(self.folder, minute)
        stands = find_rollout(rollout_id, house)
        promote(rollout_id, Seen(stands.step, stands.revision), WHO, house)

    def faults(self) -> list[str]:
        """Return what is wrong with the store, and with what the receiver was told."""
        house = house_of(self.folder)
        came = [(each.event(self.secret), each.body) for each in self.receiver.came]
        with house.store.reading(house.org) as seen:
            told = untold_faults(seen, self.name, came)
        return [*told, *(flaw.sentence for flaw in fsck(house).flaws)]

    def is_calm(self) -> bool:
        """Say whether nothing is left to be sent."""
        house = house_of(self.folder)
        with house.store.reading(house.org) as seen:
            return not seen.deliveries(State.DUE)


def declared(folder: Path, receiver: HostileReceiver) -> Line:
    """Return a line on a new store."""
    make_key(folder / "keys")
    made = create_webhook(WebhookOrder(url=receiver.url), WHO, senders_house(folder, 0.0), receivers(folder))
    return Line(folder, made.endpoint.id, made.secret, receiver)


@pytest.mark.clause("WH-73")
@pytest.mark.parametrize(("point", "came"), [("deliver.claimed", [0, 0, 1]), ("deliver.sent", [1, 1, 2])])
def test_what_a_sender_that_was_killed_had_in_hand_is_sent_again(point: str, came: list[int], tmp_path: Path) -> None:
    """When its lease is over and not before: the same bytes under the same id, whether or not they had arrived."""
    with receiving() as receiver:
        line, found = declared(tmp_path, receiver), []
        line.begin("web", "v2")

        code = ended(killed_at, point, 1, send, tmp_path, 1.0)
        found.append(len(receiver.came))
        for minute in (1.0 + IN_LEASE, 1.0 + AFTER_LEASE):
            assert ended(send, tmp_path, minute) == 0
            found.append(len(receiver.came))

        assert (code, found) == (KILLED, came)
        assert (len(set(receiver.ids())), len({each.body for each in receiver.came})) == (1, 1)
        assert line.faults() == []


@pytest.mark.clause("WH-73")
def test_a_rollback_overtakes_what_a_killed_sender_had_in_hand(tmp_path: Path) -> None:
    """What gave the candidate traffic is not sent after it, and a receiver ends where the rollout stands."""
    with receiving() as receiver:
        line = declared(tmp_path, receiver)
        rollout = line.begin("web", "v2")
        assert ended(send, tmp_path, 1.0) == 0
        line.promote(rollout, 2.0)
        assert ended(killed_at, "deliver.sent", 1, send, tmp_path, 2.0) == KILLED
        rollback(rollout, WHO, house_of(tmp_path, 2.1))
        assert ended(send, tmp_path, 2.0 + AFTER_LEASE) == 0
        kinds = [each.event(line.secret).type for each in receiver.came]

        assert kinds[:3] == ["rollout.created", "rollout.promote", "rollout.rollback"]
        assert kinds.count("rollout.promote") == 1
        assert line.faults() == []


@pytest.mark.clause("WH-73")
def test_senders_beside_each_other_and_killed_at_random_lose_nothing(
    tmp_path: Path, seconds: Callable[[float, float], float], count: Callable[[str, int], None]
) -> None:
    """Receivers fail, too; in the end each message came that was not overtaken, and every last word is the newest."""
    draw = random.Random(7)  # noqa: S311 -- the same faults in every run
    ways: list[Way] = [draw.choice((OK, OK, OK, FAILS, drops, resets, garbles)) for _ in range(MOST)]
    with receiving(*ways) as receiver:
        line, began = declared(tmp_path, receiver), time.time()
        killed = _drill(line, draw, began, rounds=int(seconds(10, 100)))
        receiver.ways.clear()
        last = minute_of(began)
        for turn in range(CALM_TURNS):
            if line.is_calm():
                break
            send(tmp_path, last + (turn + 1) * CALM_MINUTES)

        assert line.is_calm()
        assert line.faults() == []
        times = Counter(receiver.ids())
    assert killed
    assert times.total() > len(times)
    count("webhooks by two senders at once", times.total())
    count("of them again", times.total() - len(times))
    count("senders killed", killed)


def _drill(line: Line, draw: random.Random, began: float, rounds: int) -> int:
    """Let senders work and be killed while canaries begin, go on and are rolled back; return how many were killed."""
    senders = [started(send_on, line.folder, began) for _ in range(SENDERS)]
    killed = 0
    for number in range(rounds):
        came = len(line.receiver.came)
        _patiently(lambda: _life(line, f"web-{number % APPS}", f"v{number + 2}", began))  # noqa: B023 -- it is over before the next one
        line.receiver.waited(came + 1)
        if draw.random() < 0.5:
            # Most likely between the message and the note that it was sent.
            place = draw.randrange(SENDERS)
            _kill(senders[place])
            killed += 1
            senders[place] = started(send_on, line.folder, began)
    (line.folder / OVER).touch()
    for each in senders:
        each.join()
        assert each.exitcode == 0
        each.close()
    return killed


def _life(line: Line, app: str, candidate: str, began: float) -> None:
    rollout = line.begin(app, candidate, minute_of(began))
    time.sleep(PAUSE_S)
    line.promote(rollout, minute_of(began))
    time.sleep(PAUSE_S)
    rollback(rollout, WHO, house_of(line.folder, minute_of(began)))


def _patiently(act: Callable[[], None]) -> None:
    """Do something that asks for a store which others hold now and then."""
    for _ in range(100):
        try:
            act()
        except TryAgainError:
            time.sleep(PAUSE_S)
        else:
            return
    raise AssertionError("the store was always held")


def _kill(process: BaseProcess) -> None:
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()
