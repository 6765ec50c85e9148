# SPDX-License-Identifier: Apache-2.0
"""Commands are called with --json, and without; who decided, and which rollout is meant, must be at the top of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.doors.line import APP, Door

WHY = ("--by", "ann", "--reason", "errors in the log")


@pytest.fixture
def paused(door: Door) -> str:
    """Return a canary that a person has paused."""
    rollout = door.create("--mode", "canary")
    door("pause", "--id", rollout, *WHY)
    return rollout


@pytest.mark.clause("LC-42")
def test_receipts_say_who_decided(door: Door, paused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person by name, the loop as what it is, of a rollout and of an app, in words and for programs."""
    monkeypatch.setenv("LOCKGATE_ACTOR", "ci/job-7")
    app = door.read("freeze", "--app-id", APP, "--reason", "an incident")["id"]

    of_rollout, of_app = door.read("receipts", paused)["receipts"], door.read("receipts", app)["receipts"]
    door("receipts", paused)

    assert (of_rollout[1]["by"], of_app[0]["by"]) == ("ann", "ci/job-7")
    assert of_rollout[1]["actor"] == {"type": "person", "name": "ann", "reason": "errors in the log"}
    heads, _, _, pause = door.out.splitlines()[:4]
    assert heads.split() == ["seq", "at", "decision", "by", "reason"]
    assert pause.split()[2:5] == ["pause", "(operator)", "ann"]


@pytest.mark.clause("LC-42")
def test_a_shadow_tick_was_decided_by_the_loop(door: Door) -> None:
    """What nobody asked for has no name."""
    rollout = door.create()
    door("tick", "--id", rollout)

    assert door.read("receipts", rollout)["receipts"][-1]["by"] == "the tick"


@pytest.mark.clause("LC-42")
def test_verify_says_who(door: Door, paused: str, tmp_path: Path) -> None:
    """Whoever has no store learns it from the receipt, and which rollout it is of."""
    door("receipts", paused, "--save", tmp_path / "out")
    call = ("verify", tmp_path / "out" / "receipt-2.json", "--key", tmp_path / "out" / "receipt-key.pem")

    document = door.read(*call)
    door(*call)

    assert "\nby ann\n" in door.out
    assert (document["id"], document["predicate"]["actor"]["name"]) == (paused, "ann")


@pytest.mark.clause("LC-43")
def test_a_document_of_one_rollout_has_its_id_at_the_top(door: Door, paused: str, tmp_path: Path) -> None:
    """A script that has learned to read one answer reads them all."""
    door("actuator", "set", "--app-id", APP, "--", "true")
    calls: tuple[tuple[object, ...], ...] = (
        *(("show", paused), ("explain", paused), ("receipts", paused)),
        *(("tick", "--id", paused), ("deliver", "--id", paused), ("actuator", "test", "--app-id", APP)),
        ("resume", "--id", paused, *WHY),
    )

    assert {call[0]: door.read(*call)["id"] for call in calls} == {call[0]: paused for call in calls}


@pytest.mark.clause("LC-43")
def test_what_is_set_up_is_answered_as_json_too(door: Door, paused: str, tmp_path: Path) -> None:
    """Declaring and removing a program answer as a freeze does, and a backup names its files."""
    door("actuator", "set", "--app-id", APP, *WHY, "--json", "--", "true", "web")
    put = json.loads(door.out)
    told = door.read("actuator", "test", "--app-id", APP)
    removed = door.read("actuator", "remove", "--app-id", APP, *WHY)
    copied = door.read("backup", tmp_path / "copy")

    assert (put["app"], put["receipt"], put["actuator"]["argv"][1:]) == (APP, 1, ["web"])
    assert ([each["state"] for each in told["sent"]], told["untold"]) == (["delivered"], [])
    assert (removed["id"], removed["receipt"], removed["actuator"]) == (put["id"], 2, None)
    assert (copied["private_keys"], copied["folder"]) == (False, str(tmp_path / "copy"))
    assert {each["path"]: each["bytes"] for each in copied["files"]} == _sizes(tmp_path / "copy")


@pytest.mark.clause("LC-43")
def test_a_test_that_fails_says_so_in_its_document(door: Door, paused: str) -> None:
    """The code is that of a router that was not told."""
    door("actuator", "set", "--app-id", APP, "--", "false")

    code = door("actuator", "test", "--app-id", APP, "--json")

    document: Any = json.loads(door.out)
    assert (code, [each["event"] for each in document["untold"]]) == (69, ["rollout.created"])


@pytest.mark.clause("LC-44")
@pytest.mark.usefixtures("stillness")
def test_deliver_says_why_it_told_nothing(door: Door, paused: str) -> None:
    """That nothing is due is another matter than that what was tried failed."""
    door("actuator", "set", "--app-id", APP, "--", "false")
    door("rollback", "--id", paused, *WHY, "--yes")

    door("deliver", "--now")
    failed = door.out
    door("deliver")

    assert failed == "Nothing was told.\n"
    assert door.out == "Nothing is due yet; --now waits for nothing.\n"


def _sizes(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
