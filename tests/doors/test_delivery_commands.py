# SPDX-License-Identifier: Apache-2.0
"""Commands that commit come in; the program of the app must be run, and what it was not told must be said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockgate.cli import exit_codes
from lockgate.core.delivery import State
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.testing.world import WorldClock
from lockgate.wiring import actuators, local_house
from tests.doors.line import APP, BAD, GOOD, Door, typed, write_runs

WHY = ("--by", "ann", "--reason", "errors in the log")
CANARY = ("--mode", "canary", "--steps", "5,50,100")
KEEPS = """#!/bin/sh
[ ! -e "$1/down" ] || { echo "connection refused" >&2; exit 7; }
echo "$LOCKGATE_EVENT $LOCKGATE_CANDIDATE $LOCKGATE_WEIGHT" >> "$1/told"
[ ! -e "$1/reads" ] || echo "{\\"weight\\": $LOCKGATE_WEIGHT}"
"""


class Router:
    """A program that keeps what it is told, until it is down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "shift.sh"
        self.path.write_text(KEEPS, encoding="utf-8")
        self.path.chmod(0o755)

    @property
    def told(self) -> list[str]:
        """Return what it was told, in order."""
        told = self.folder / "told"
        return told.read_text(encoding="utf-8").splitlines() if told.exists() else []

    def fall(self) -> None:
        """Refuse everything from now on."""
        (self.folder / "down").touch()

    def rise(self) -> None:
        """Take what comes from now on."""
        (self.folder / "down").unlink()


@pytest.fixture
def router(door: Door, tmp_path: Path) -> Router:
    """Return the actuator of the app."""
    router = Router(tmp_path)
    assert door("actuator", "set", "--app-id", APP, "--", router.path, tmp_path) == 0, door.err
    return router


@pytest.mark.clause("LI-96")
def test_every_command_that_moves_traffic_tells_the_router(door: Door, router: Router) -> None:
    """Before it ends, and each weight once."""
    rollout = door.create(*CANARY)
    door("promote", "--id", rollout, *WHY, "--step", "0", "--revision", "1", "--yes")
    door("pause", "--id", rollout, *WHY)
    door("kill", "--app-id", APP, *WHY, "--yes")

    assert router.told == ["rollout.created abc123 5", "rollout.promote abc123 50", "rollout.rollback abc123 0"]
    assert door.err == ""


@pytest.mark.clause("LI-96")
@pytest.mark.parametrize("command", ["tick", "watch"])
def test_a_turn_that_rolls_back_tells_the_router(door: Door, router: Router, tmp_path: Path, command: str) -> None:
    """By its own exit code, whoever takes the turn."""
    runs = write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD})
    assert door("ingest", runs) == 0
    rollout = door.create(*CANARY, "--since", "1h")

    left = door(command, "--id", rollout)

    assert left == exit_codes.REGRESSED.code
    assert router.told == ["rollout.created abc123 5", "rollout.rollback abc123 0"]


@pytest.mark.clause("LI-96")
@pytest.mark.usefixtures("stillness")
def test_a_rollback_that_nobody_heard_shouts_and_is_done_all_the_same(door: Door, router: Router) -> None:
    """The exit code says what was decided; standard error that the candidate may still be served."""
    rollout = door.create(*CANARY)
    router.fall()

    left = door("rollback", "--id", rollout, *WHY, "--yes")

    assert (left, "rolled back" in door.out) == (0, True)
    assert door.err.startswith(
        f"WARNING: the router has not been told: rollback, 0 % for abc123 in {APP}; "
        "shift.sh left by 7: connection refused; next try in 1 s"
    )


@pytest.mark.clause("LI-96")
@pytest.mark.parametrize(
    ("sink", "code"),
    [(">/dev/full", 75), (">/dev/full 2>&1", 75), ("2>&1 | (exec 0<&-; sleep 1)", 0)],
    ids=["output full", "both full", "reader gone"],
)
@pytest.mark.parametrize("verb", ["create", "rollback", "kill", "tick"])
def test_what_cannot_be_printed_is_told_to_the_router(
    door: Door, router: Router, tmp_path: Path, verb: str, sink: str, code: int
) -> None:
    """A log on a full disk, or a reader that went away, keeps no weight from it."""
    bad = write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD})
    door("ingest", bad)
    calls = {
        "create": f"create --app-id {APP} -b v36 -c abc123 --mode canary",
        "rollback": f"rollback --app-id {APP} --by ann --reason fire --yes",
        "kill": f"kill --app-id {APP} --by ann --reason fire --yes",
        "tick": "tick --all",
    }
    rollout = "" if verb == "create" else door.create(*CANARY, "--since", "1h")
    call = calls[verb].replace(f"rollback --app-id {APP}", f"rollback --id {rollout}")

    ran = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m lockgate {call} {sink}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert router.told[-1].startswith("rollout.created" if verb == "create" else "rollout.rollback")
    assert ran.returncode == code
    assert "Traceback" not in ran.stderr


@pytest.mark.clause("LI-96")
def test_watching_shows_what_the_router_was_not_told(door: Door, router: Router) -> None:
    """Once, however often it is tried; `show` has it too."""
    router.fall()
    rollout = door.create(*CANARY)

    left = door("watch", "--id", rollout, "--interval", "0.1", "--timeout", "0.5")
    said = door.err
    door("show", rollout)

    assert left == exit_codes.TIMED_OUT.code
    assert said.count("the router has not been told: created, 5 % for abc123") == 1
    assert "router" in door.out
    assert "has not been told" in door.out


@pytest.mark.clause("LI-333")
@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waits", "`lockgate deliver` tries again"),
        ("under way", "it is being told at this moment"),
        ("dead", "given up after 1 attempt"),
        ("told", ""),
    ],
)
def test_show_says_what_the_router_was_not_told(
    door: Door, router: Router, tmp_path: Path, state: str, said: str
) -> None:
    """In words and as JSON: what failed, what is under way and what was given up, but not what was told."""
    if state != "told":
        router.fall()
    rollout = door.create(*CANARY)
    here = local_house(tmp_path / "home")
    with here.store.writing() as work:
        for each in work.deliveries(State.DUE):
            now = here.clock.now()
            changes: dict[str, dict[str, Any]] = {
                "waits": {"due_at": now},
                "under way": {"tried_at": now, "leased_until": now + 60_000},
                "dead": {"state": State.DEAD},
            }
            work.put_delivery(replace(each, **changes[state]))

    untold = door.read("show", rollout)["untold"]
    door("show", rollout)

    assert [(each["rollout"], each["event"]) for each in untold] == [(rollout, "rollout.created")] * (state != "told")
    assert [each["leased_until"] is not None for each in untold] == [state == "under way"] * (state != "told")
    assert (said in " ".join(door.out.split()), "has not been told" in door.out) == (True, state != "told")


@pytest.mark.clause("LI-97")
def test_deliver_sends_what_is_due_and_says_what_is_left(door: Door, router: Router) -> None:
    """69 while something is not told, 0 when nothing is."""
    router.fall()
    rollout = door.create(*CANARY)
    door("rollback", "--id", rollout, *WHY, "--yes")

    failing = door("deliver", "--id", rollout)
    said = door.err
    router.rise()
    door("actuator", "test", "--app-id", APP)
    done = door("deliver", "--all", "--json")

    assert (failing, done) == (exit_codes.UNREACHABLE.code, 0)
    assert "the router has not been told: rollback, 0 % for abc123" in said
    assert json.loads(door.out) == {"sent": [], "untold": []}
    assert router.told == ["rollout.rollback abc123 0"]


@pytest.mark.clause("LI-97")
@pytest.mark.usefixtures("stillness")
def test_deliver_tells_programs_what_failed(door: Door, router: Router) -> None:
    """Message, state, error and the next try."""
    router.fall()
    rollout = door.create(*CANARY)

    left = door("deliver", "--json")

    (told,) = json.loads(door.out)["untold"]
    assert left == exit_codes.UNREACHABLE.code
    assert (told["rollout"], told["event"], told["state"], told["attempts"]) == (rollout, "rollout.created", "due", 1)
    assert (told["error"], told["output"]) == ("shift.sh left by 7: connection refused", "connection refused\n")
    assert told["next_try"].endswith("Z")


@pytest.mark.clause("LI-97")
@pytest.mark.parametrize("words", [("--id", "rol_nothing"), ("--id", "rol_nothing", "--all")])
def test_a_delivery_of_nothing_in_particular_is_refused(door: Door, router: Router, words: tuple[str, ...]) -> None:
    """A mistyped id, and both at once."""
    assert door("deliver", *words) == exit_codes.USAGE.code


@pytest.mark.clause("LI-97")
def test_without_an_actuator_nothing_is_told_or_missing(door: Door) -> None:
    """Who moves traffic by other means reads the messages, or asks."""
    door.create(*CANARY)

    left = door("deliver")

    assert (left, door.out, door.err) == (0, "Nothing is left to tell.\n", "")


@pytest.mark.clause("LI-100")
def test_an_actuator_is_shown_and_removed(door: Door, router: Router, tmp_path: Path) -> None:
    """As it was declared, by its full path; asked twice it is answered."""
    shown = door.read("actuator", "show")
    door("actuator", "show")
    text = door.out
    removed = [(door("actuator", "remove", "--app-id", APP), door.out) for _ in range(2)]
    door("actuator", "show")

    (one,) = shown["actuators"]
    assert (one["app"], one["argv"], one["folder"]) == (APP, [str(router.path), str(tmp_path)], os.getcwd())  # noqa: PTH109 -- what the shell calls this folder
    assert (one["timeout_s"], one["acknowledges"]) == (30.0, False)
    assert text.startswith(f"{APP}  shift.sh {tmp_path}\n")
    assert [left for left, _ in removed] == [0, 0]
    assert removed[0][1].startswith(f"{APP} has no actuator any more.\n  receipt 2 of app_")
    assert removed[1][1] == f"{APP} has no actuator.\n"
    assert door.out == "No actuator is declared.\n"


@pytest.mark.clause("LI-330")
def test_who_moves_the_traffic_is_listed_with_its_receipts(door: Door, tmp_path: Path) -> None:
    """By the series that the command prints, with who and why."""
    router = Router(tmp_path)
    door("actuator", "set", "--app-id", APP, "--by", "ann", "--reason", "the new balancer", "--", router.path, tmp_path)
    series = door.out.split()[-1]
    door("actuator", "remove", "--app-id", APP, "--by", "bob")

    listed = door.read("receipts", series)["receipts"]
    door("receipts", series)

    assert [each["action"] for each in listed] == ["set_actuator", "remove_actuator"]
    assert "set_actuator (operator)" in door.out
    assert "the new balancer" in door.out
    assert "no program moves its traffic any more" in door.out
    assert str(router.path) not in door.out


@pytest.mark.clause("LI-332")
@pytest.mark.parametrize("words", [("--link", "ci=ftp"), ("--steps", "50,5"), ("--candidate", "v36"), ("--bad",)])
def test_a_start_that_cannot_be_meant_sets_no_actuator(door: Door, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Nothing is stored of such a call."""
    router = Router(tmp_path)

    left = door("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--actuator", router.path, *words)

    assert left in (exit_codes.USAGE.code, exit_codes.DATA.code)
    assert door("actuator", "show") != 0 or door.out == "No actuator is declared.\n"


@pytest.mark.clause("LI-100")
def test_a_rollout_may_be_created_with_its_actuator(door: Door, tmp_path: Path) -> None:
    """One option, read as a shell would read its words, and no shell runs it."""
    router = Router(tmp_path)

    door.create(*CANARY, "--actuator", f"'{router.path}' '{tmp_path}' '$(id)'")

    assert router.told == ["rollout.created abc123 5"]


@pytest.mark.clause("LI-100")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("actuator", "set", "--app-id", APP, "--", "./nothing.sh"), "there is no program ./nothing.sh"),
        (("actuator", "set", "--app-id", APP, "--timeout", "1d", "--", "true"), "is not between"),
        (("actuator", "set", "--app-id", "two words", "--", "true"), "is not the name of an app"),
        (("actuator", "set", "--app-id", APP), "PROGRAM"),
        (("actuator", "set", "--app-id", APP, "--", "true", "\udcff"), "not named in UTF-8"),
        (("actuator", "set", "--app-id", APP, "--", "true", *["x"] * 64), "at most 64 words"),
        (("actuator", "test", "--app-id", APP), "has no actuator"),
        (("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--actuator", "'open"), "cannot be read"),
        (("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--actuator", ""), "no program is named"),
    ],
)
def test_an_actuator_that_cannot_be_meant_is_refused(door: Door, words: tuple[str, ...], said: str) -> None:
    """And nothing is stored."""
    door("create", "--app-id", "other", "-b", "v36", "-c", "abc123")

    left = door(*words)

    assert (left, said in door.err) == (exit_codes.USAGE.code, True), door.err
    assert door.read("actuator", "show") == {"actuators": []}
    assert len(door.read("list")["rollouts"]) == 1


@pytest.mark.clause("LI-100", "LI-99")
def test_a_test_of_an_actuator_shows_what_it_says(door: Door, router: Router) -> None:
    """What it read back is known afterwards; what fails is told and leaves by 69."""
    nothing = door("actuator", "test", "--app-id", APP)
    rollout = door.create(*CANARY)
    (router.folder / "reads").touch()

    good = door("actuator", "test", "--app-id", APP)
    said = door.out
    router.fall()
    bad = door("actuator", "test", "--app-id", APP)

    assert (nothing, good, bad) == (0, 0, exit_codes.UNREACHABLE.code)
    assert said == f'created, 5 % for abc123 in {APP}: told\n  {{"weight": 5}}\n'
    assert door.read("show", rollout)["acknowledged"] == 5.0


BLOCKS = """#!/bin/sh
echo "$LOCKGATE_EVENT $LOCKGATE_WEIGHT" >> "$1/told"
touch "$1/begun"
while [ ! -e "$1/go" ]; do sleep 0.05; done
"""


def begun(router: Router, *words: str) -> subprocess.Popen[bytes]:
    """Call the command line as a process of its own, which tells a program that does not end yet."""
    router.path.write_text(BLOCKS, encoding="utf-8")
    call = [sys.executable, "-m", "lockgate", *words]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 30
    while not (router.folder / "begun").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return process


CREATES = ("create", "--app-id", APP, "-b", "v36", "-c", "abc123", *CANARY)


@pytest.mark.clause("LI-95", "LI-96")
def test_a_rollback_waits_for_the_promotion_that_another_process_tells(door: Door, router: Router) -> None:
    """Both are told, in their order, and each once."""
    process = begun(router, *CREATES)
    (rollout,) = door.read("list")["rollouts"]
    release = threading.Timer(0.5, (router.folder / "go").touch)
    release.start()

    left = door("rollback", "--id", rollout["id"], *WHY, "--yes")

    release.join()
    assert (left, door.err, process.wait(30)) == (0, "", 0)
    assert router.told == ["rollout.created 5", "rollout.rollback 0"]


@pytest.mark.clause("LI-95")
def test_what_a_killed_process_was_telling_is_told_again(door: Door, router: Router, tmp_path: Path) -> None:
    """Not before its lease has ended, and then without anybody's help."""
    process = begun(router, *CREATES)
    process.kill()
    process.wait(30)
    (router.folder / "go").touch()
    at_once = door("deliver")
    said = door.err
    here = local_house(tmp_path / "home")
    later = WorldClock(here.clock.now() + 60_000)

    sent = deliver(replace(here, clock=later), actuators(), Bounds())

    assert (at_once, "or whoever told it has died" in said) == (0, True)
    assert [(each.delivery.state.value, each.delivery.attempts) for each in sent] == [("delivered", 2)]
    assert router.told == ["rollout.created 5"] * 2


@pytest.mark.clause("LI-96")
def test_a_home_that_another_process_uses_is_told_from_there(door: Door, router: Router) -> None:
    """A process of its own, with nothing of this one's."""
    ran = typed("create", "--app-id", APP, "-b", "v36", "-c", "abc123", *CANARY)

    assert ran.returncode == 0, ran.stderr
    assert router.told == ["rollout.created abc123 5"]
