# SPDX-License-Identifier: Apache-2.0
"""Stores that were put back from an older copy come in; commands and servers sign nothing at a place that is used."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from lockgate.adapters.marks import database
from lockgate.adapters.marks.state_files import StateFiles
from lockgate.core.receipt import operator
from lockgate.core.vault import Receipt
from lockgate.operations.soundness.log_age import refuse_older_logs
from lockgate.operations.soundness.outside import outside_flaws
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.tick_all import tick_all
from lockgate.ports.high_water import HighWater
from lockgate.ports.house import House
from lockgate.ports.store import Store
from lockgate.wiring import postgres_store, sqlite_store
from tests.postgresql import Cluster
from tests.server.served import problem, served
from tests.servers.process import Server
from tests.spec.line import created, world
from tests.witness.machine import CREATE, Machine, free_port
from tests.witness.outlived import outlived
from tests.witness.witnessed import Beside


def refusals(here: Machine, rollout: str) -> list[tuple[int, bool]]:
    """Return the exit codes of everything that signs, and whether each says what to do."""
    signing = (
        ("tick", "--id", rollout),
        ("rollback", "--id", rollout, "--reason", "drill", "--yes"),
        ("serve", "--port", "0"),
    )
    # A server sets what signals do to its process.
    done = [(here.process if words[0] == "serve" else here.call)(*words) for words in signing]
    return [(each.returncode, "Put the newer store back" in each.stderr) for each in done]


def entries(store: Store) -> tuple[Receipt, ...]:
    """Return the log."""
    with store.reading() as seen:
        return seen.entries_after(-1, 100)


REFUSED = [(65, True)] * 3


@pytest.mark.clause("WT-20")
def test_an_older_copy_of_a_folder_is_refused_by_tick_rollback_and_serve(tmp_path: Path) -> None:
    """Copy at n, go on to n + 2, put the copy back: no place of the log is signed twice, and reading works."""
    here = Machine(tmp_path / "home")
    rollout = here.create("v2")
    copy = tmp_path / "copy"
    shutil.copytree(here.home, copy)
    here.act(rollout, "pause", "resume")
    signed = entries(sqlite_store(here.home))
    shutil.move(here.home, tmp_path / "lived")
    shutil.copytree(copy, here.home)

    refused, shown, checked = refusals(here, rollout), here.call("show", "--id", rollout), here.call("fsck")

    assert (refused, shown.returncode) == (REFUSED, 0)
    assert entries(sqlite_store(here.home)) == signed[:1]
    assert (checked.returncode, "it is an older copy" in checked.stdout) == (65, True)


@pytest.mark.postgres
@pytest.mark.clause("WT-20")
def test_an_older_copy_of_a_database_is_refused_by_tick_rollback_and_serve(tmp_path: Path, postgresql: Cluster) -> None:
    """A copy of the database, made at n, is put back in its place."""
    url = postgresql.new_database()
    name = url.rpartition("/")[2]
    here = Machine(tmp_path / "home", LOCKGATE_STORE=url)
    rollout = here.create("v2")
    _copy(postgresql, name)
    here.act(rollout, "pause", "resume")
    signed = entries(postgres_store(url))
    _swap(postgresql, name)

    refused = refusals(here, rollout)

    assert refused == REFUSED
    assert entries(postgres_store(url)) == signed[:1]


def _copy(postgresql: Cluster, name: str) -> None:
    """Copy a database, whoever is connected."""
    _end_links(postgresql, name)
    postgresql.run(f"CREATE DATABASE {name}_copy TEMPLATE {name} OWNER lockgate")


def _swap(postgresql: Cluster, name: str) -> None:
    """Put the copy of a database in its place, whoever is connected."""
    postgresql.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    _end_links(postgresql, name)
    postgresql.run(f"ALTER DATABASE {name} RENAME TO {name}_lived")
    postgresql.run(f"ALTER DATABASE {name}_copy RENAME TO {name}")


def _end_links(postgresql: Cluster, name: str) -> None:
    # Each link is waited for, because a database that somebody is connected to can neither be copied nor renamed.
    postgresql.run(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608 -- our own name


@pytest.mark.postgres
@pytest.mark.clause("WT-20")
def test_a_server_under_which_the_database_is_put_back_signs_nothing_more(tmp_path: Path, postgresql: Cluster) -> None:
    """It goes on answering, refuses what would sign, and says why."""
    url = postgresql.new_database()
    name = url.rpartition("/")[2]
    server = Server(tmp_path / "home", free_port(), {"LOCKGATE_STORE": url}, tick_every=None)
    rollout = Machine(server.home, **server.settings).create("v2")
    server.begin()
    try:
        server.wait()
        # The first start has made the key of who calls.
        server.kill()
        _copy(postgresql, name)
        server.begin()
        server.wait()
        before = _act(server, rollout, "pause")
        _swap(postgresql, name)
        after = [_act(server, rollout, verb) for verb in ("pause", "rollback")]
        shown, ready = _get(server, f"/api/v1/rollouts/{rollout}"), _get(server, "/readyz")
    finally:
        server.kill()

    assert (before.status_code, shown.status_code) == (200, 200)
    assert f"{server.home}" not in "".join(each.text for each in after)
    assert [problem(each) for each in (*after, ready)] == [(500, "store-older")] * 3
    assert "it is an older copy" in server.said
    assert len(entries(postgres_store(url))) == 1


@pytest.mark.clause("WT-20")
def test_a_server_under_which_the_folder_is_put_back_signs_nothing_twice(tmp_path: Path) -> None:
    """Files of the copy take the place of those in use; whatever is still answered, no place has two receipts."""
    server = Server(tmp_path / "home", free_port(), tick_every=None)
    rollout = Machine(server.home, **server.settings).create("v2")
    shutil.copytree(server.home, tmp_path / "copy")
    server.begin()
    try:
        server.wait()
        assert _act(server, rollout, "pause").status_code == 200
        signed = entries(sqlite_store(server.home))
        server.home.rename(tmp_path / "lived")
        shutil.copytree(tmp_path / "copy", server.home)
        _act(server, rollout, "resume")
    finally:
        server.kill()
    found = entries(sqlite_store(server.home))
    again = server.lockgate("rollback", "--id", rollout, "--reason", "drill", "--yes")

    assert found == signed[: len(found)]
    assert again.returncode == 65


def _act(server: Server, rollout: str, verb: str) -> httpx.Response:
    """Act on a rollout; a connection that was ended under the server is made anew at the second try."""
    for attempt in range(20):
        answer = httpx.post(
            f"{server.address}/api/v1/rollouts/{rollout}/{verb}",
            headers={"authorization": f"Bearer {server.token}", "idempotency-key": f'"{verb}-{attempt}"'},
            json={"reason": "drill"},
            trust_env=False,
            timeout=20,
        )
        if answer.status_code != 503:
            return answer
        time.sleep(0.2)
    return answer


def _get(server: Server, path: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {server.token}"}
    return httpx.get(f"{server.address}{path}", headers=headers, trust_env=False, timeout=20)


@pytest.mark.postgres
@pytest.mark.clause("WT-21")
def test_a_second_database_remembers_for_a_machine_that_is_new(
    tmp_path: Path, postgresql: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older copy with its keys on another machine is refused by what the first one left in the database."""
    # Who stands still for two seconds would go on by its own mark.
    monkeypatch.setattr(database, "CONNECT_S", 60)
    monkeypatch.setattr(database, "STATEMENT_MS", 60_000)
    marks = {"LOCKGATE_STATE": postgresql.new_database()}
    first = Machine(tmp_path / "one", **marks)
    rollout = first.create("v2")
    shutil.copytree(first.home, tmp_path / "two")
    first.act(rollout, "pause")
    second = Machine(tmp_path / "two", **marks)

    refused = refusals(second, rollout)
    went_on = first.call("resume", "--id", rollout, "--reason", "drill")

    assert (refused, went_on.returncode) == (REFUSED, 0)


@pytest.mark.postgres
@pytest.mark.clause("WT-21")
def test_while_the_second_database_is_away_only_a_machine_with_a_mark_of_its_own_signs(
    tmp_path: Path, postgresql: Cluster
) -> None:
    """A rollback works where the log is known; who has never seen it leaves by 69 and signs nothing."""
    url = postgresql.new_database()
    first = Machine(tmp_path / "one", LOCKGATE_STATE=url)
    rollout = first.create("v2")
    shutil.copytree(first.home, tmp_path / "two")
    away = re.sub(r":\d+/", f":{free_port()}/", url)
    second = Machine(tmp_path / "two", LOCKGATE_STATE=away)
    first.settings["LOCKGATE_STATE"] = away

    new = second.process("rollback", "--id", rollout, "--reason", "drill", "--yes")
    known = first.process("rollback", "--id", rollout, "--reason", "drill", "--yes")

    assert (new.returncode, known.returncode) == (69, 0)
    assert "this machine has never seen it" in new.stderr
    assert "goes on by what it has seen itself" in known.stderr
    assert "lockgate@" not in known.stderr + new.stderr
    assert [len(entries(sqlite_store(each.home))) for each in (first, second)] == [2, 1]


@pytest.mark.clause("WT-21")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"LOCKGATE_STATE": "postgresql://x@h/d", "LOCKGATE_STORE": "postgresql://x@h/d"}, "the database of the store"),
        ({"LOCKGATE_STATE": "postgresql://x@h/d?secret=s3cret"}, "no address of a database"),
    ],
)
def test_a_second_database_that_cannot_be_meant_is_refused(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    """The one of the store, with which it would be put back, and what is no address."""
    done = Machine(tmp_path / "one", **settings).call(*CREATE, "v2")

    assert (done.returncode, said in done.stderr, "s3cret" in done.stderr) == (64, True, False)


@pytest.mark.clause("WT-52")
def test_a_turn_that_would_sign_nothing_is_refused_too(tmp_path: Path) -> None:
    """A canary that is looked at and held; the look is not kept beside those that the copy has lost."""
    here = Machine(tmp_path / "home")
    rollout = here.create("v2", "--mode", "canary")
    shutil.copytree(here.home, tmp_path / "copy")
    before = here.call("tick", "--id", rollout)
    here.act(rollout, "pause", "resume")
    shutil.rmtree(here.home)
    shutil.copytree(tmp_path / "copy", here.home)

    refused = [here.call("tick", *words) for words in (("--id", rollout), ("--all",))]

    assert before.returncode == 0
    assert [(each.returncode, "Put the newer store back" in each.stderr) for each in refused] == [(65, True)] * 2
    with sqlite_store(here.home).reading() as seen:
        assert seen.looks(rollout) == ()


@pytest.mark.clause("WT-52")
def test_a_server_on_an_older_copy_is_not_ready(tmp_path: Path) -> None:
    """What sends it calls leaves it out; who calls is told why, and of no file; it answers who only reads."""
    here, outlive = outlived(tmp_path)
    rollout = created(here).rollout.id

    with served(here) as door:
        admin = door.caller("admin")
        outlive()
        path = f"/api/v1/rollouts/{rollout}"
        calls = (admin.post(f"{path}/pause", {"reason": "drill"}), admin.post(f"{path}/evaluate"))
        refused = [door.http.get("/readyz"), *calls]
        shown = admin.get(path)

    assert [problem(each) for each in refused] == [(500, "store-older")] * 3
    assert all(str(tmp_path) not in each.text for each in refused)
    assert shown.status_code == 200


class Meanwhile:
    """Marks that are asked, the first time, just when somebody else lets the log grow."""

    def __init__(self, marks: HighWater, grow: Callable[[], object]) -> None:
        self._marks, self._grow = marks, [grow]
        self.lift, self.place = marks.lift, marks.place

    def held(self, origin: str) -> bytes | None:
        """Return the largest signed checkpoint of a log."""
        while self._grow:
            self._grow.pop()()
        return self._marks.held(origin)


@pytest.mark.clause("WT-53")
def test_a_log_that_grows_while_its_age_is_looked_at_is_no_older_copy(tmp_path: Path) -> None:
    """Another server commits between the two questions, and fsck and a start find nothing."""
    here, marks = world(), StateFiles(tmp_path / "state")
    lived = replace(here.house, high_water=marks)
    rollout = created(here).rollout.id
    verbs = cycle((pause, resume))

    def looked() -> House:
        grow = Meanwhile(marks, lambda: next(verbs)(rollout, operator("ada", "x"), lived))
        return replace(here.house, high_water=grow)

    assert refuse_older_logs(looked(), Beside()) == ()
    assert outside_flaws(looked(), None) == ((), ())
    assert tick_all(looked()).problems == ()
    assert len(entries(here.house.store)) == 4


@pytest.mark.clause("WT-20")
def test_what_is_refused_is_said_as_json_where_that_is_asked(tmp_path: Path) -> None:
    """A program that starts servers finds the cause in fsck's document."""
    here = Machine(tmp_path / "home")
    rollout = here.create("v2")
    shutil.copytree(here.home, tmp_path / "copy")
    here.act(rollout, "pause")
    shutil.rmtree(here.home)
    shutil.copytree(tmp_path / "copy", here.home)

    found = json.loads(here.call("fsck", "--json").stdout)

    assert (found["sound"], [each["rule"] for each in found["flaws"]]) == (False, ["age"])


@pytest.mark.clause("WT-54")
def test_an_older_copy_tells_no_router_what_was_taken_back(tmp_path: Path) -> None:
    """Its outbox still holds the first weight, which a rollback ended after the copy was made."""
    here, told, is_up = Machine(tmp_path / "home"), tmp_path / "told", tmp_path / "up"
    program = f"test -e {is_up} && cat >> {told}"
    assert here.call("actuator", "set", "--app-id", "web", "--", "/bin/sh", "-c", program).returncode == 0
    rollout = here.create("v2", "--mode", "canary")
    shutil.copytree(here.home, tmp_path / "copy")
    is_up.touch()
    here.call("rollback", "--id", rollout, "--reason", "drill", "--yes")
    assert b"rollout.rollback" in told.read_bytes()
    told.unlink()
    shutil.move(here.home, tmp_path / "lived")
    shutil.copytree(tmp_path / "copy", here.home)

    left = here.call("deliver", "--now"), here.call("actuator", "test", "--app-id", "web")

    assert [each.returncode for each in left] == [65, 65]
    assert "it is an older copy" in left[0].stderr
    assert not told.exists()
