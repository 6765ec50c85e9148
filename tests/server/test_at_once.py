# SPDX-License-Identifier: Apache-2.0
"""Many calls at the same time come in on a store in files; each is answered, and each turn is taken once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from lockgate.operations.asking.queries import find_rollout, receipts_of
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.server.served import API, NDJSON, served
from tests.spec.line import APP, EQUAL, created

MANY = 16


@pytest.mark.clause("SV-08")
def test_one_key_sent_many_times_at_once_takes_one_turn(tmp_path: Path) -> None:
    """All are answered by the same bytes, and the rollout has moved one step."""
    here = World(sqlite_store(tmp_path), 1)
    name = created(here).rollout.id
    here.serve_both(APP, {"v36": 6_000, "abc123": 6_000}, EQUAL, minutes=10)
    here.clock.advance(60)
    with served(here) as door, ThreadPoolExecutor(MANY) as pool:
        admin = door.caller("admin")
        calls = [pool.submit(admin.post, f"{API}/rollouts/{name}/evaluate", idempotency_key="one") for _ in range(MANY)]
        answers = [call.result() for call in calls]

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert find_rollout(name, here.house).step == 1
    assert [each.seq for each in receipts_of(name, here.house)] == [1, 2]


@pytest.mark.clause("SV-10", "SV-14")
def test_runs_reads_turns_and_a_rollback_at_once_are_all_answered(tmp_path: Path) -> None:
    """Nothing fails, every run counts, and the rollback wins."""
    here = World(sqlite_store(tmp_path), 1)
    name = created(here).rollout.id
    with served(here) as door, ThreadPoolExecutor(MANY) as pool:
        admin = door.caller("admin")
        place = f"{API}/rollouts/{name}"

        def send(number: int) -> httpx.Response:
            run = {"app_id": APP, "release": "v36", "status": "ok"}
            lines = "\n".join(json.dumps({**run, "run_id": f"{number}-{each}"}) for each in range(20))
            return admin.call("POST", f"{API}/runs", NDJSON, content=lines)

        kinds: list[Callable[[int], httpx.Response]] = [
            send,
            lambda _: admin.get(place),
            lambda _: admin.post(f"{place}/evaluate"),
            lambda _: admin.get(f"{API}/rollouts"),
        ]
        calls = [pool.submit(kinds[number % 4], number) for number in range(80)]
        calls.append(pool.submit(admin.post, f"{place}/rollback", {"reason": "now"}))
        answers = [call.result() for call in calls]

    assert {answer.status_code for answer in answers} == {200}, [a.text for a in answers if a.status_code != 200]
    assert sum(answer.json().get("runs", 0) for answer in answers) == 400
    assert find_rollout(name, here.house).status.value == "rolled_back"
