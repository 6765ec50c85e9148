# SPDX-License-Identifier: Apache-2.0
"""Receivers that mistreat whoever calls them come in; a real server must tell each of them all, and nobody else waits.

What a receiver was sent is compared with what the store says must be told: same id, same bytes, every message.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.core.app import DEFAULT_ORG
from lockgate.demo.router import free_port
from lockgate.testing.told import untold_faults
from tests.faults import hostile_receiver as hostile
from tests.faults.hostile_receiver import FAILS, GONE, OK, HostileReceiver, Way, receiving
from tests.server.test_serve_command import Process, serving

pytestmark = pytest.mark.faults

# By Standard Webhooks; and what a lease has beyond it.
TIMEOUT_S, SLACK_S = 15.0, 10.0
CALM_S = 120.0
MANY = 14
REASON = {"reason": "drill"}


@dataclass(frozen=True)
class Hooked:
    """A receiver that was declared for an app of its own, and the canary on trial there."""

    receiver: HostileReceiver
    server: Process
    app: str
    name: str
    secret: str
    rollout: str

    def act(self, verb: str, **document: object) -> None:
        """Step in."""
        answer = self.server.http.post(f"/api/v1/rollouts/{self.rollout}/{verb}", json={**REASON, **document})
        assert answer.status_code == 200, answer.text

    def promote(self) -> None:
        """Go one step on."""
        stands = self.server.http.get(f"/api/v1/rollouts/{self.rollout}").json()
        self.act("promote", step=stands["step"], revision=stands["revision"])

    def deliveries(self) -> list[dict[str, Any]]:
        """Return what became of each message."""
        found: list[dict[str, Any]] = self.server.http.get(f"/api/v1/webhooks/{self.name}/deliveries").json()[
            "deliveries"
        ]
        return found

    def settled(self, seconds: float = CALM_S) -> dict[str, dict[str, Any]]:
        """Return what became of each message, by event, once nothing is due."""
        until = time.monotonic() + seconds
        while any(each["state"] == "due" for each in self.deliveries()) and time.monotonic() < until:
            time.sleep(0.1)
        return {each["event"]: each for each in self.deliveries()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the store that is served."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[Process]:
    """Return a real server, which may call receivers of this machine."""
    with serving("--dev", "--tick-every", "1s") as started:
        yield started


def declared(server: Process, url: str, app: str) -> dict[str, Any]:
    """Declare a receiver for an app."""
    answer = server.http.post("/api/v1/webhooks", json={"url": url, "app_id": app})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def on_trial(server: Process, app: str) -> str:
    """Put a canary on trial that nothing but people moves."""
    order = {"app_id": app, "baseline": "v1", "candidate": "v2", "mode": "canary", "steps": "5,50,100"}
    answer = server.http.post("/api/v1/rollouts", json=order)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def hooked(server: Process, receiver: HostileReceiver, app: str) -> Hooked:
    """Declare a receiver for an app, and begin a canary there."""
    made = declared(server, receiver.url, app)
    return Hooked(receiver, server, app, made["id"], made["secret"], on_trial(server, app))


# What a receiver does to a rollback; and how often it comes, the last time for good.
WAYS: dict[str, tuple[tuple[Way, ...], int]] = {
    "fails-twice": ((FAILS, FAILS), 3),
    "late": ((hostile.late(20),), 2),
    "drops": ((hostile.drops,), 2),
    "resets": ((hostile.resets,), 2),
    "drips": ((hostile.drips,), 2),
    "garbles": ((hostile.garbles,), 2),
    "pours-heads": ((hostile.pours_heads,), 2),
    "pours": ((hostile.pours,), 1),
    "redirects": ((hostile.redirects("http://169.254.169.254/latest/meta-data/"),), 2),
    "no-content": ((hostile.says("204 No Content"),), 1),
    "not-modified": ((hostile.says("304 Not Modified"),), 2),
}


@pytest.mark.clause("WH-70")
def test_every_event_arrives_whatever_a_receiver_does(
    home: Path, server: Process, count: Callable[[str, int], None]
) -> None:
    """All at once: each gets its rollback again until it says 2xx in time, the same bytes under the same id."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        elsewhere = f"http://127.0.0.1:{canary.getsockname()[1]}/"
        ways = {**WAYS, "redirects-here": ((hostile.redirects(elsewhere),), 2)}
        made = {
            name: hooked(server, stack.enter_context(receiving(OK, *ways_of)), name)
            for name, (ways_of, _) in ways.items()
        }
        for each in made.values():
            each.receiver.waited(1)
            each.act("rollback")

        states = {name: {kind: one["state"] for kind, one in each.settled().items()} for name, each in made.items()}
        came = {name: Counter(each.receiver.ids()) for name, each in made.items()}
        went = _accepted(canary)

    told = {"rollout.created": "delivered", "rollout.rollback": "delivered", "rollout.completed": "delivered"}
    assert states == dict.fromkeys(ways, told)
    assert {name: _times(ids, "_rollback") for name, ids in came.items()} == {
        name: times for name, (_, times) in ways.items()
    }
    assert not went
    assert [fault for each in made.values() for fault in _faults(home, each)] == []
    count("webhooks to receivers that mistreat their sender", sum(ids.total() for ids in came.values()))


@pytest.mark.clause("WH-71")
def test_a_rollback_does_not_wait_for_a_slow_promote(server: Process) -> None:
    """The same receiver still holds the promote when the rollback comes."""
    with receiving(OK, hostile.late(TIMEOUT_S - 1)) as receiver:
        slow = hooked(server, receiver, "slow")
        receiver.waited(1)
        slow.promote()
        promote = receiver.heard("rollout.promote")
        slow.act("rollback")

        rollback = receiver.heard("rollout.rollback")

    assert rollback.at < promote.at + TIMEOUT_S - 1


@pytest.mark.clause("WH-71", "WH-73")
def test_a_rollback_does_not_wait_for_the_lease_of_a_server_that_was_killed(home: Path) -> None:
    """It was killed while its receiver still held the promote; the next server tells the rollback at once."""
    with receiving(OK, hostile.late(TIMEOUT_S)) as receiver:
        with serving("--dev") as first:
            killed = hooked(first, receiver, "killed")
            receiver.waited(1)
            killed.promote()
            promote = receiver.heard("rollout.promote")
            first.process.kill()
        with serving("--dev") as second:
            killed = replace(killed, server=second)
            killed.act("rollback")
            rollback = receiver.heard("rollout.rollback")
            states = {event: each["state"] for event, each in killed.settled().items()}

        assert rollback.at < promote.at + TIMEOUT_S + SLACK_S
        assert states["rollout.promote"] == "superseded"
        assert states["rollout.rollback"] == "delivered"
        assert _faults(home, killed) == []


@pytest.mark.clause("WH-71")
def test_nobody_waits_for_the_slowness_of_others(server: Process) -> None:
    """More receivers than a server has threads hold their promotes; one that is well hears of its rollback at once."""
    with ExitStack() as stack:
        slow = [stack.enter_context(receiving(OK, hostile.late(TIMEOUT_S + 5))) for _ in range(MANY)]
        others = [hooked(server, each, f"slow-{number}") for number, each in enumerate(slow)]
        well = hooked(server, stack.enter_context(receiving()), "well")
        for each in others:
            each.receiver.waited(1)
            each.promote()
        held = [each.receiver.heard("rollout.promote").at for each in others[: MANY // 2]]
        well.receiver.waited(1)
        well.act("rollback")

        rollback = well.receiver.heard("rollout.rollback")

    assert rollback.at < min(held) + TIMEOUT_S


@pytest.mark.clause("WH-72")
def test_a_receiver_that_is_gone_is_left_alone(server: Process) -> None:
    """410 disables it, and says so; nothing more is sent."""
    with receiving(OK, GONE) as receiver:
        gone = hooked(server, receiver, "gone")
        receiver.waited(1)
        gone.act("rollback")
        receiver.waited(2)
        until = time.monotonic() + CALM_S
        while (shown := _shown(gone))["active"] and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(2)
        came = len(receiver.came)

    assert (shown["active"], came) == (False, 2)
    assert "410" in str(shown["disabled"])


@pytest.mark.clause("WH-72")
def test_what_cannot_be_reached_is_told_and_tried_again(home: Path, server: Process) -> None:
    """A closed port and a port without TLS are named; once the receiver is there it is told everything."""
    port = free_port()
    with receiving() as plain:
        secure = declared(server, plain.url.replace("http:", "https:"), "closed")
        made = declared(server, f"http://127.0.0.1:{port}/hook", "closed")
        rollout = on_trial(server, "closed")
        away = Hooked(HostileReceiver(port, []), server, "closed", made["id"], made["secret"], rollout)
        away.act("rollback")
        tls = Hooked(plain, server, "closed", secure["id"], secure["secret"], rollout)
        errors = [_error(away), _error(tls)]
        came_plain = list(plain.came)
        with receiving(at=port) as receiver:
            receiver.heard("rollout.rollback")
            receiver.heard("rollout.completed")
            found = Hooked(receiver, server, "closed", made["id"], made["secret"], rollout)
            found.settled()

    assert "refused" in errors[0]
    assert "TLS" in errors[1]
    assert came_plain == []
    assert _faults(home, found) == []


def _shown(one: Hooked) -> dict[str, Any]:
    found: dict[str, Any] = one.server.http.get(f"/api/v1/webhooks/{one.name}").json()
    return found


def _error(one: Hooked) -> str:
    until = time.monotonic() + CALM_S
    while time.monotonic() < until:
        tries = [tried["error"] for each in one.deliveries() for tried in each["tries"] if "rollback" in each["event"]]
        if tries:
            return str(tries[0])
        time.sleep(0.05)
    raise AssertionError("nothing was tried")


def _times(ids: Counter[str], ending: str) -> int:
    return sum(times for name, times in ids.items() if name.endswith(ending))


def _accepted(canary: socket.socket) -> bool:
    try:
        canary.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _faults(home: Path, one: Hooked) -> list[str]:
    """Return what is wrong with what a receiver was sent, compared with the store."""
    with closing(SqliteStore(home)) as store, store.reading(DEFAULT_ORG) as seen:
        return untold_faults(seen, one.name, [(each.event(one.secret), each.body) for each in one.receiver.came])
