# SPDX-License-Identifier: Apache-2.0
"""A store that is held, or not whole, is served; callers are told that it is no fault of theirs, and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from lockgate.core.batch import RunBatch
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.reading import BatchCheck, Progress, accept
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.server.served import API, NDJSON, problem, served
from tests.spec.line import APP, EQUAL, created, world


@pytest.mark.clause("SV-15")
def test_a_store_that_another_process_holds_is_no_fault_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with the time after which to try again; reading works meanwhile, and the same call succeeds later."""
    monkeypatch.setenv("LOCKGATE_BUSY_SECONDS", "0.2")
    here = World(sqlite_store(tmp_path), 1)
    place = f"{API}/rollouts/{created(here).rollout.id}"
    with served(here) as door:
        admin = door.caller("admin")
        beside = sqlite3.connect(tmp_path / "lockgate.db", isolation_level=None)
        beside.execute("BEGIN IMMEDIATE")
        held = admin.post(f"{place}/evaluate")
        read = admin.get(place)
        beside.execute("ROLLBACK")
        beside.close()
        again = admin.post(f"{place}/evaluate")

    assert problem(held) == (503, "store-held")
    assert held.headers["retry-after"] == "1"
    assert str(tmp_path) not in held.text
    assert (read.status_code, again.status_code) == (200, 200)


@pytest.mark.tampers
@pytest.mark.clause("SV-15")
def test_a_store_that_is_not_whole_is_no_fault_of_the_caller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """500 with a type of its own for what cannot be read, and everything else goes on."""
    here = World(sqlite_store(tmp_path), 1)
    broken, sound = created(here).rollout.id, created(here, app="other").rollout.id
    with sqlite3.connect(tmp_path / "lockgate.db") as beside:
        beside.execute("UPDATE rollouts SET trial = x'c1' WHERE id = ?", (broken,))
    beside.close()
    with served(here) as door:
        admin = door.caller("admin")
        hit = admin.get(f"{API}/rollouts/{broken}")
        turns = admin.post(f"{API}/rollouts/evaluate").json()

    assert problem(hit) == (500, "store-unsound")
    assert "a Trial in the store cannot be read" in capsys.readouterr().err
    assert [each["id"] for each in turns["rollouts"]] == [sound]
    assert [(each["id"], each["type"]) for each in turns["problems"]] == [
        (broken, "urn:lockgate:problem:store-unsound")
    ]


@pytest.mark.clause("SV-09")
def test_what_is_done_over_http_is_sound(tmp_path: Path) -> None:
    """Every receipt, and the state that it leads to, agrees with what a check makes again."""
    here = World(sqlite_store(tmp_path), 1)
    name = created(here).rollout.id
    place = f"{API}/rollouts/{name}"
    with served(here) as door:
        admin = door.caller("admin")
        here.serve_both(APP, {"v36": 6_000, "abc123": 6_000}, EQUAL, minutes=10)
        here.clock.advance(60)
        moved = admin.post(f"{place}/evaluate", idempotency_key="one").json()
        sight = {"reason": "go", "step": moved["step"], "revision": moved["revision"]}
        assert admin.post(f"{place}/promote", sight).status_code == 200
        assert admin.post(f"{API}/apps/{APP}/kill", {"reason": "harm"}).status_code == 200

    assert fsck(here.house).flaws == ()


class Faulty:
    """A reader of runs with a fault of its own."""

    def read(
        self, paths: Sequence[str], app: str | None, progress: Progress, check: BatchCheck = accept
    ) -> Iterator[RunBatch]:
        """Read nothing."""
        raise NotImplementedError

    def decode(self, body: bytes, app: str | None) -> RunBatch:  # noqa: ARG002 -- the port hands them over
        """Fail as nobody foresaw."""
        raise ZeroDivisionError("an unforeseen case")


@pytest.mark.clause("SV-15")
def test_a_fault_of_the_server_ends_one_call(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a problem that says nothing of the inside, which standard error does, and the next call is answered."""
    with served(world(), batches=Faulty()) as door:
        admin = door.caller("admin")
        hit = admin.call("POST", f"{API}/runs", NDJSON, content=b"{}")
        after = admin.get(f"{API}/rollouts")

    assert problem(hit) == (500, "internal")
    assert "unforeseen" not in hit.text
    assert "ZeroDivisionError: an unforeseen case" in capsys.readouterr().err
    assert after.status_code == 200
