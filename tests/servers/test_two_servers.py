# SPDX-License-Identifier: Apache-2.0
"""Two servers that tick come in, on PostgreSQL behind HAProxy; clients find one state, and routers hear of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.stores.postgres_news import PostgresNews
from lockgate.core.receipt import operator
from lockgate.operations.actuator import Program, set_actuator
from lockgate.operations.create import Order, create
from lockgate.operations.deliver import untold
from lockgate.ports.house import House
from lockgate.server import loop
from lockgate.server.loop import Loop
from lockgate.testing.history import Kind, Outcome, broken
from lockgate.wiring import actuators, postgres_store, signers, system_clock
from tests.postgresql import Cluster
from tests.servers import clients, drill
from tests.servers.aftermath import all_told, history_of

pytestmark = pytest.mark.postgres
SECONDS, PATIENCE_S = 12.0, 30.0
WHO = operator("ada", "drill")


@pytest.mark.clause("SV-134")
def test_two_servers_that_tick_by_themselves_take_each_step_once(tmp_path: Path, postgresql: Cluster) -> None:
    """Nobody else ticks; rollouts move all the same, and what clients were told contradicts nothing."""
    settings = {"LOCKGATE_STORE": postgresql.new_database()}
    with drill.fleet(tmp_path, settings, tick_every="1s") as (crew, nemesis):
        crew.start(clients.put_on_trial, "trials")
        for number in range(2):
            crew.start(clients.send, f"sender-{number}")
            crew.start(clients.look, f"looker-{number}")
        time.sleep(SECONDS)
        crew.stop()
        one, two = nemesis.servers
        assert all_told(one) == ""
        history = history_of(crew, two, has_own_turns=True)

    assert crew.faults == []
    assert broken(history) == []
    assert crew.count(Outcome.DONE, Kind.LOOK) > 10
    assert max(receipts[-1].after.revision for receipts in history.receipts.values()) > 1
    # One server that fails to tick would leave this to the other: none says that it failed.
    assert "fault" not in one.said + two.said


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
