# SPDX-License-Identifier: Apache-2.0
"""`lockgate tick --all` comes in; a line or a problem for each rollout goes out: docs/spec.md, The line, Ticks."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import Door


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[Door, str]:
    """Return the command line on three rollouts, and the id of the one that cannot be read."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))
    door = Door(capsys)
    for candidate in ("a", "b", "c"):
        door("create", "--app-id", "web", "--baseline", "v1", "--candidate", candidate)
    which: str = door.read("list")["rollouts"][1]["id"]
    with sqlite3.connect(tmp_path / "lockgate.db") as beside:
        beside.execute("UPDATE rollouts SET trial = x'c1' WHERE id = ?", (which,))
    return door, which


@pytest.mark.tampers
@pytest.mark.clause("LI-111")
def test_tick_all_names_the_rollout_that_cannot_take_its_turn(broken: tuple[Door, str]) -> None:
    """The others are ticked, and the exit code is that of the worst problem."""
    door, which = broken

    code = door("tick", "--all")

    assert code == exit_codes.DATA.code
    assert len(door.out.splitlines()) == 2
    assert door.err.startswith(f"{which}: a Trial in the store cannot be read")


@pytest.mark.tampers
@pytest.mark.clause("LI-111")
def test_tick_all_lists_problems_for_programs(broken: tuple[Door, str]) -> None:
    """Each problem has the rollout's id, the exit code that it alone would have, and its message."""
    door, which = broken

    door("tick", "--all", "--json")

    found = json.loads(door.out)
    assert [each["candidate"] for each in found["rollouts"]] == ["a", "c"]
    assert [(each["id"], each["code"]) for each in found["problems"]] == [(which, exit_codes.DATA.code)]


@pytest.mark.tampers
@pytest.mark.clause("LI-111")
def test_one_reason_of_several_is_said_once(broken: tuple[Door, str], tmp_path: Path) -> None:
    """A store that is held, or broken throughout, does not fill the log of whoever ticks a thousand."""
    door, _ = broken
    with sqlite3.connect(tmp_path / "lockgate.db") as beside:
        beside.execute("UPDATE rollouts SET trial = x'c1'")

    code = door("tick", "--all")

    assert (code, door.out) == (exit_codes.DATA.code, "")
    assert [line for line in door.err.splitlines() if " and 2 more: a Trial" in line] == door.err.splitlines()[:1]
