# SPDX-License-Identifier: Apache-2.0
"""A newer version brings a store to its schema under a server that runs: the server stops, and says why."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.server.loop import Loop
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.server.served import API, NDJSON, problem, served
from tests.spec.line import APP, created

FILES = ("lockgate.db", "runs.db")
SECONDS = 60


def bring(folder: Path, version: int, names: tuple[str, ...] = FILES) -> None:
    """Let files of a store say that they are of a version."""
    for name in names:
        with closing(sqlite3.connect(folder / name, isolation_level=None)) as beside:
            beside.execute(f"PRAGMA user_version = {version}")


@pytest.mark.clause("SV-961")
@pytest.mark.parametrize("name", FILES)
def test_a_server_of_an_older_version_neither_writes_nor_says_that_it_is_ready(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """503 and when to try again, by a type of its own: nothing is wrong with the store, and a newer server answers."""
    here = World(sqlite_store(tmp_path), 1)
    place = f"{API}/rollouts/{created(here).rollout.id}"
    run = b'{"app_id":"%s","release":"v36","status":"ok"}\n' % APP.encode()
    with served(here) as door:
        admin = door.caller("admin")
        bring(tmp_path, 99, (name,))
        ready = door.http.get("/readyz")
        answers = [
            admin.call("POST", f"{API}/runs", NDJSON, content=run * 5_000),
            admin.post(f"{place}/pause", {"reason": "no"}),
            admin.get(place),
        ]
        said = capsys.readouterr().err
        bring(tmp_path, 1, (name,))
        after = admin.get(place).json()

    assert problem(ready) == (503, "store-later")
    assert ready.headers["retry-after"] == "1"
    assert str(tmp_path) not in ready.text
    assert [problem(each) for each in answers] == [(503, "store-later")] * 3
    assert said.count("was written by a later version of Lockgate (schema 99, this one knows 1)") == 1
    assert (after["status"], after["revision"]) == ("active", 1)


class Counting(SqliteStore):
    """A store that counts how often the loop begins a round."""

    rounds = 0

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations."""
        self.rounds += 1
        return super().orgs()


@pytest.mark.clause("SV-961")
def test_a_loop_of_an_older_version_says_so_once(tmp_path: Path) -> None:
    """With what to do, whoever of its threads meets it, and however often."""
    store, told = Counting(tmp_path), list[str]()
    here = World(store, 1)
    created(here)
    bring(tmp_path, 99)

    with Loop(replace(here.house, store=store), {}, 0.01, told.append):
        ends = time.monotonic() + SECONDS
        while store.rounds < 5 and time.monotonic() < ends:
            time.sleep(0.01)

    bring(tmp_path, 1)
    assert store.rounds >= 5
    assert len(told) == 1
    assert told[0].endswith("Use that version, and restart servers with it; a store is never taken back.")
