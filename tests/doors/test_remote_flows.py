# SPDX-License-Identifier: Apache-2.0
"""Questions, files, imports, watches and narrow keys come in; what the command line makes of them over HTTP is said."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate import wiring
from lockgate.cli import exit_codes
from lockgate.core.receipt import Actor
from lockgate.demo.router import free_port
from lockgate.operations.asking.queries import find_rollout, list_rollouts
from lockgate.operations.steering.actuator import Program, set_actuator
from tests.doors.both import Both, Made, serving_copy
from tests.doors.line import APP, Door
from tests.doors.test_operator_commands import at_a_terminal
from tests.server.served import Served, served
from tests.spec.line import APP as SHOP
from tests.spec.line import created, world

WHY = ("--reason", "because of this test")
ANN = Actor("person", "ann", "it is so")


@pytest.mark.clause("CL-26")
@pytest.mark.parametrize("command", ["rollback", "promote", "kill"])
@pytest.mark.parametrize("typed", ["y\n", "n\n"])
def test_a_person_is_asked_the_same_before_anything_is_done(
    both: Both, made: Made, monkeypatch: pytest.MonkeyPatch, command: str, typed: str
) -> None:
    """The server says what would be done; only after a yes it is done."""
    good = made.names["good"]
    of = ("--app-id", APP) if command == "kill" else ("--id", good)

    at_a_terminal(monkeypatch, typed)
    here = both.local(command, *of, *WHY)
    at_a_terminal(monkeypatch, typed)
    there = both.remote(command, *of, *WHY)

    assert there.plain() == here.plain()
    assert (there.code == exit_codes.USAGE.code) is (typed == "n\n")
    assert there.err.splitlines()[-1:] == here.err.splitlines()[-1:]
    changed = json.loads(both.remote("show", good, "--json").out)["revision"] != 1
    assert changed is (typed == "y\n")


@pytest.mark.clause("CL-27")
def test_receipts_are_saved_where_the_command_is_called(both: Both, made: Made, tmp_path: Path) -> None:
    """The files are those that the store would write, and verify with no server."""
    bad = made.names["bad"]
    both.local("receipts", bad, "--save", tmp_path / "here")
    first = both.remote("receipts", bad, "--save", tmp_path / "there")
    kept = tmp_path / "there" / "checkpoint.txt"
    again = both.remote("receipts", bad, "--save", tmp_path / "there", "--since-checkpoint", kept)

    assert (first.code, again.code) == (0, 0), again.err
    for path in sorted((tmp_path / "here").iterdir()):
        assert (tmp_path / "there" / path.name).read_bytes() == path.read_bytes()
    folder = tmp_path / "there"
    words = ("verify", folder / "receipt-1.json", "--key", folder / "receipt-key.pem")
    assert both.remote(*words).code == 0


@pytest.mark.clause("CL-27")
def test_a_page_is_saved_where_the_command_is_called(both: Both, tmp_path: Path) -> None:
    """A comparison of kept runs writes the same page; files are compared without the server."""
    words = ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--report")

    here, there = both.local(*words, tmp_path / "here.html"), both.remote(*words, tmp_path / "there.html")

    assert here.code == there.code == exit_codes.REGRESSED.code
    assert (tmp_path / "there.html").read_bytes() == (tmp_path / "here.html").read_bytes()


@pytest.mark.clause("CL-28")
def test_an_import_comes_in_batches_and_once(both: Both, made: Made) -> None:
    """The same file again changes nothing, and a file with a fault keeps nothing."""
    first, again = both.remote("ingest", made.names["more"], "--json"), both.remote("ingest", made.names["more"])
    broken = both.remote("ingest", made.names["broken"])

    assert json.loads(first.out)["runs"] == 20
    assert "20 runs known already, byte for byte." in again.out
    assert broken.code == exit_codes.DATA.code
    assert "broken.ndjson:21" in broken.err


@pytest.fixture
def remote(door: Door, monkeypatch: pytest.MonkeyPatch) -> Callable[[Served, str], Door]:
    """Return what calls a server by a key."""

    def calls(shop: Served, token: str) -> Door:
        monkeypatch.setenv("LOCKGATE_URL", str(shop.http.base_url))
        monkeypatch.setenv("LOCKGATE_API_KEY", token)
        return door

    return calls


@pytest.mark.clause("CL-28")
def test_a_key_that_only_sends_runs_imports(remote: Callable[[Served, str], Door], made: Made) -> None:
    """What it may not look at is done without; an app that it is not for keeps nothing."""
    with served(world()) as shop:
        shop.world.clock.advance((made.clock.at - shop.world.clock.now()) // 1_000 + 60)
        sends = remote(shop, shop.key("sdk").token)
        kept = sends("ingest", made.names["more"])
        refused = remote(shop, shop.key("sdk", apps=["other"]).token)("ingest", made.names["more"])

    assert (kept, refused) == (0, exit_codes.NOT_PERMITTED.code)
    assert "the key is not for" in sends.err


@pytest.mark.clause("CL-29")
def test_a_key_for_one_app_meets_no_other(remote: Callable[[Served, str], Door]) -> None:
    """Lists leave others out, their names and rollouts are refused, and all is more than one."""
    with served(world()) as shop:
        rollout = created(shop.world).rollout.id
        created(shop.world, app="billing", candidate="theirs")
        narrow = remote(shop, shop.key("admin", apps=["billing"]).token)
        lists = []
        for words in (("list",), ("apps",), ("keys", "list"), ("tick", "--all")):
            assert narrow(*words) == 0
            lists.append(narrow.out)
        codes = [
            narrow("show", rollout),
            narrow("freeze", "--app-id", SHOP, *WHY),
            narrow("create", "--app-id", SHOP, "-b", "1", "-c", "2"),
            narrow("kill", "--all", *WHY, "--yes"),
            narrow("unfreeze", "--all", *WHY),
            narrow("keys", "create", "--name", "wider", "--allow", "admin"),
        ]
        stands = find_rollout(rollout, shop.world.house)

    assert all(SHOP not in text and rollout not in text for text in lists)
    assert codes == [exit_codes.USAGE.code, *[exit_codes.NOT_PERMITTED.code] * 5]
    assert (stands.revision, stands.status.value) == (1, "active")


@pytest.mark.clause("CL-29")
def test_a_key_is_made_and_ended_over_http(remote: Callable[[Served, str], Door]) -> None:
    """The token is printed once, opens what it is for, and nothing when it is revoked."""
    with served(world()) as shop:
        created(shop.world)
        admin = shop.key("admin").token
        made = remote(shop, admin)
        code, token = made("keys", "create", "--name", "a job", "--allow", "viewer"), made.out.strip()
        identity = made.err.split(" is made")[0]
        looked = remote(shop, token)("list")
        remote(shop, admin)("keys", "revoke", identity)
        shut = remote(shop, token)("list")

    assert (code, looked, shut) == (0, 0, exit_codes.NOT_PERMITTED.code)
    assert token not in made.err


@pytest.mark.clause("CL-30")
def test_what_the_servers_machine_runs_is_not_shown(both: Both, made: Made, tmp_path: Path) -> None:
    """Neither a program's name nor its arguments leave the server's machine."""
    shutil.copytree(both.here, tmp_path / "with")
    here = wiring.local_house(tmp_path / "with")
    program = Program(argv=("/bin/false", "a-secret-word"), folder="/", timeout_s=1.0)
    set_actuator(APP, program, ANN, here)
    with serving_copy(tmp_path / "with", tmp_path / "with-copy") as url:
        there = replace(both, url=url)
        said = [
            there.remote(*words)
            for words in (
                ("apps",),
                ("apps", "--json"),
                ("pause", "--id", made.names["good"], *WHY),
                ("show", made.names["good"]),
                ("show", made.names["good"], "--json"),
            )
        ]

    assert [each.code for each in said] == [0] * 5
    assert all(word not in each.out + each.err for each in said for word in ("a-secret-word", "/bin/false", '"/"'))


@pytest.mark.clause("CL-31")
def test_a_watch_outlives_a_restart_of_the_server(door: Door, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the server is away the watch waits, and it ends by how the rollout ends."""
    rollout = door.create("--mode", "canary")
    port = free_port()
    came = threading.Event()

    def come_and_end() -> None:
        with serving_copy(home / "home", home / "copy", port):
            came.set()
            house = wiring.local_house(home / "copy")
            assert [each.id for each in list_rollouts(house)] == [rollout]
            time.sleep(0.5)
        with serving_copy(home / "nothing", home / "copy", port):
            from lockgate.operations.steering.rollback import rollback

            rollback(rollout, ANN, wiring.local_house(home / "copy"))
            ended.wait(20)

    ended = threading.Event()
    thread = threading.Thread(target=come_and_end)
    monkeypatch.setenv("LOCKGATE_URL", f"http://127.0.0.1:{port}")
    thread.start()
    came.wait(20)
    code = door("watch", "--id", rollout, "--interval", "0.1", "--timeout", "30s")
    ended.set()
    thread.join(30)

    assert code == exit_codes.REGRESSED.code, door.err
    assert "rolled back" in door.out


@pytest.mark.clause("CL-31")
def test_a_watch_ends_when_its_time_is_over(both: Both, made: Made) -> None:
    """A rollout that is still on trial then leaves by 2, and is rolled back where that was asked."""
    good = made.names["good"]
    left = both.remote("watch", "--id", good, "--timeout", "0.2", "--interval", "0.1", "--no-tick")
    back = both.remote("watch", "--id", good, "--timeout", "0", "--on-timeout", "rollback")

    assert (left.code, back.code) == (exit_codes.TIMED_OUT.code, exit_codes.REGRESSED.code)
    assert json.loads(both.remote("show", good, "--json").out)["status"] == "rolled_back"
