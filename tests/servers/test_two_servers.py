# SPDX-License-Identifier: Apache-2.0
"""Two servers that tick come in, on PostgreSQL behind HAProxy; clients find one state, and routers hear of it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import httpx
import psycopg
import pytest

from lockgate.adapters.stores.postgres.news import PostgresNews
from lockgate.core.receipt import operator
from lockgate.operations.create import Order, create
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.operations.webhooks.deliver import untold
from lockgate.ports.house import House
from lockgate.server import loop
from lockgate.server.loop import Loop
from lockgate.testing.history import CallOutcome, Kind, broken
from lockgate.wiring import actuators, postgres_store, signers, system_clock
from tests.postgresql import Cluster
from tests.servers import clients, drill
from tests.servers.aftermath import all_told, history_of

pytestmark = pytest.mark.postgres
SECONDS, PATIENCE_S = 12.0, 60.0
WHO = operator("ada", "drill")
APP, STEPS = drill.BY_PROGRAM[0], [{"weight": 25}, {"weight": 50}, {"weight": 100}]
POLICY = {**clients.POLICY, "mode": "canary", "steps": STEPS}


@pytest.mark.clause("SV-134")
def test_two_servers_that_tick_by_themselves_take_each_step_once(tmp_path: Path, postgresql: Cluster) -> None:
    """Nobody else ticks; rollouts move all the same, and what clients were told contradicts nothing."""
    settings = {"LOCKGATE_STORE": postgresql.new_database()}
    with drill.fleet(tmp_path, settings, tick_every="1s") as (crew, nemesis):
        crew.start(clients.put_on_trial, "trials")
        for number in range(2):
            crew.start(clients.send, f"sender-{number}")
            crew.start(clients.look, f"looker-{number}")
        ends = time.monotonic() + SECONDS
        # A busy machine takes longer, and has an end too.
        while time.monotonic() < ends or (not _has_moved(crew) and time.monotonic() < ends + 2 * PATIENCE_S):
            time.sleep(0.1)
        crew.stop()
        one, two = nemesis.servers
        for server in nemesis.servers:
            # A turn between what is told and what is read would look like a message that came from nowhere.
            assert server.end() == 0
            server.tick_every = None
            server.begin()
            server.wait()
        assert all_told(one) == ""
        history = history_of(crew, two, beside=nemesis.servers, has_own_turns=True)

    assert crew.faults == []
    assert broken(history) == []
    assert crew.count(CallOutcome.DONE, Kind.LOOK) > 10
    assert max(receipts[-1].after.revision for receipts in history.receipts.values()) > 1
    # One server that fails to tick would leave this to the other: none says that it failed.
    assert "fault" not in one.said + two.said


@pytest.mark.clause("SV-134")
@pytest.mark.parametrize(("failing", "ends"), [(0.0, "promoted"), (0.7, "rolled_back")])
def test_a_candidate_is_judged_by_ticks_to_both(tmp_path: Path, postgresql: Cluster, failing: float, ends: str) -> None:
    """One moves it as far as the other left it; a rollback is answered by 422 once, by one of them."""
    with drill.fleet(tmp_path, {"LOCKGATE_STORE": postgresql.new_database()}) as (crew, nemesis):
        both = [f"{each.address}{clients.API}" for each in nemesis.servers]
        headers = {"authorization": f"Bearer {crew.token}"}
        with (
            httpx.Client(base_url=crew.front, timeout=30, trust_env=False) as front,
            httpx.Client(headers=headers, timeout=30, trust_env=False) as http,
        ):
            # HAProxy takes a server out that stood still for a moment, and its clients ask again.
            client = clients.Client(crew, "judge", front, Random(1))  # noqa: S311 -- nothing is drawn
            order = {"app_id": APP, "baseline": clients.BASELINE, "candidate": "c1", "policy": POLICY}
            made = client.ask("POST", "/rollouts", tries=clients.TRIES, key=client.key(), json=order)
            place = f"/rollouts/{made.document['id']}"
            answers = list(_turns(http, client, [f"{each}{place}/evaluate" for each in both], failing))
            found = {http.get(f"{each}{place}").json()["status"] for each in both}

    assert found == {ends}
    assert [answer.status_code for answer in answers].count(422) == (ends == "rolled_back")
    revisions = [answer.json()["revision"] for answer in answers]
    assert revisions == sorted(revisions)
    assert set(revisions) <= set(range(1, len(STEPS) + 3))


def _has_moved(crew: clients.Fleet) -> bool:
    looks = crew.count(CallOutcome.DONE, Kind.LOOK)
    return looks > 10 and any(call.standing is not None and call.standing.revision > 1 for call in list(crew.calls))


def _turns(http: httpx.Client, client: clients.Client, both: Sequence[str], failing: float) -> Iterator[httpx.Response]:
    """Send runs and let each server take a turn, until the rollout has ended."""
    ends, is_over = time.monotonic() + 2 * PATIENCE_S, False
    while not is_over:
        assert time.monotonic() < ends
        sent = client.ask("POST", "/runs", tries=clients.TRIES, content=_runs(failing), headers=dict(clients.NDJSON))
        assert sent.outcome is CallOutcome.DONE, sent
        for address in both:
            answer = http.post(address)
            is_over = answer.json()["terminal"]
            yield answer
        time.sleep(0.2)


def _runs(failing: float) -> bytes:
    lines = [
        {
            "app_id": APP,
            "release": "c1" if number % 2 else clients.BASELINE,
            "run_id": secrets.token_hex(8),
            "status": "error" if number % 2 and number < 100 * failing else "ok",
        }
        for number in range(100)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.clause("SV-130")
def test_what_another_process_commits_is_told_without_a_glance(
    tmp_path: Path, postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that would look again in an hour sends it now."""
    url = postgresql.new_database()
    keys = signers(tmp_path / "keys")
    house, other = (House(postgres_store(url), system_clock(), keys) for _ in range(2))
    told = tmp_path / "told"
    set_actuator("web", Program(argv=("/bin/sh", "-c", f"cat >> {told}"), folder=str(tmp_path)), WHO, house)
    monkeypatch.setattr(loop, "GLANCE_S", 3_600.0)
    with Loop(house, actuators(), None, lambda _: None, PostgresNews(url)):
        _wait_for(lambda: _is_listening(url))

        create(Order(app="web", candidate="v2", baseline="v1", policy={"mode": "canary"}), other)

        _wait_for(lambda: told.exists() and b"rollout.created" in told.read_bytes())
        _wait_for(lambda: untold(house) == ())


def _is_listening(url: str) -> bool:
    with psycopg.connect(url) as link:
        listening = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        return link.execute(listening).fetchone() is not None


def _wait_for(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)
