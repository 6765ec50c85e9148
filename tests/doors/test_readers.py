# SPDX-License-Identifier: Apache-2.0
"""A store and commands that only look come in; they answer who may only read, and change no byte of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS
from lockgate.core.app import App
from lockgate.wiring import sqlite_store
from tests.doors.line import APP, Door, typed, write_runs
from tests.doors.readers import Call, as_a_reader, copy_to_read, killed, sums, torn
from tests.faults.process import KILLED, ended


@pytest.fixture
def made(home: Path, door: Door) -> str:
    """Return a rollout of a store that has runs, receipts and a verdict."""
    assert door("ingest", write_runs(home / "runs.ndjson", {"v36": 0.01, "abc123": 0.01}, runs=200)) == 0
    rollout = door.create("--since", "1h", "--mode", "canary")
    assert door("tick", "--id", rollout) == 0
    return rollout


def looks(rollout: str) -> tuple[Call, ...]:
    """Return a call of each command that only looks; none of them needs a key."""
    return (
        ("list",),
        ("show", rollout),
        ("explain", rollout),
        ("apps",),
        ("receipts", rollout),
        ("runs", "--app-id", APP),
        ("compare", "--app-id", APP, "-b", "v36", "-c", "abc123", "--allow-thin"),
        ("watch", "--id", rollout, "--no-tick", "--timeout", "0"),
        ("prune", "--dry-run"),
        ("create", "--app-id", "other", "-b", "v36", "-c", "abc123", "--dry-run"),
        ("actuator", "show"),
    )


@pytest.mark.clause("LI-585")
def test_who_looks_changes_no_byte(home: Path, door: Door, made: str) -> None:
    """Neither of a store that is in use, nor of a backup, in which no file appears either."""
    assert door("backup", home / "copy", "--with-keys") == 0
    shutil.rmtree(home / "home")
    (home / "copy").rename(home / "home")
    before, names = sums(home / "home"), sorted((home / "home").rglob("*"))

    codes = [door(*call) for call in (*looks(made), ("fsck",))]

    assert (sums(home / "home"), sorted((home / "home").rglob("*"))) == (before, names)
    assert codes[-1] == 0, door.out
    assert set(codes) <= {0, 2}
    assert door("pause", "--id", made, "--reason", "drill") == 0
    left = sums(home / "home")
    assert [door(*call) for call in (*looks(made), ("fsck",))] == codes
    assert sums(home / "home") == left


@pytest.mark.clause("LI-586")
def test_who_may_only_read_can_look(home: Path, door: Door, made: str) -> None:
    """Each call ends as it does for the owner."""
    expected = {" ".join(call): door(*call) for call in looks(made)}

    answers = as_a_reader(home / "home", looks(made))

    assert {call: code for call, (code, _) in answers.items()} == expected, answers


@pytest.mark.clause("LI-586")
def test_who_may_only_read_can_check(home: Path, door: Door, made: str) -> None:
    """By public keys that they name; who names none, and may read none, is told to."""
    assert door("receipts", made, "--save", home / "home" / "kept") == 0
    (home / "home" / "kept" / "receipt-key.pem").rename(home / "home" / "kept" / "receipt-key.txt")
    named = ("fsck", "--key", "HOME/kept/receipt-key.txt", "--log-key", "HOME/kept/log-key.txt")

    answers = as_a_reader(home / "home", [("fsck",), named, ("pause", "--id", made, "--reason", "drill")])

    unnamed, checked, paused = answers.values()
    assert (unnamed[0], checked[0], paused[0]) == (77, 0, 77), answers
    assert "lockgate fsck --key" in unnamed[1]


@pytest.mark.clause("LI-587")
def test_a_reader_sees_what_a_writer_kept_last(home: Path, door: Door, made: str) -> None:
    """A writer that is not done, and one that was killed and left its log, hinder nobody."""
    with sqlite_store(home / "home").writing() as work:
        work.put_app(App(name="unkept"))
        assert [app["app"] for app in door.read("apps")["apps"]] == [APP]
    assert ended(killed, home / "home") == KILLED

    answers = as_a_reader(home / "home", [("apps", "--app-id", "written"), ("apps", "--app-id", "unkept")])

    assert [code for code, _ in answers.values()] == [0, 0], answers


@pytest.mark.clause("LI-587")
def test_what_is_written_while_it_is_read_without_a_lock_is_refused(home: Path, door: Door, made: str) -> None:
    """Who may not write has no lock; what they read may be of two moments."""
    assert door("backup", home / "copy") == 0

    with copy_to_read(home / "copy") as copied:
        assert ended(torn, copied) == 75


@pytest.mark.clause("LI-587")
def test_a_log_that_a_reader_cannot_join_is_told(home: Path, made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its owner has made a backup, which takes the log up, others can."""
    left = shutil.copytree(home / "home", home / "left")
    assert ended(killed, left) == KILLED
    (left / f"{CONTROL}-shm").unlink()

    ((code, said),) = as_a_reader(left, [("list",)]).values()

    assert (code, "was left open by a process that ended" in said) == (77, True), said
    assert "lockgate backup" in said
    monkeypatch.setenv("LOCKGATE_HOME", str(left))
    assert typed("backup", home / "copy").returncode == 0
    assert [code for code, _ in as_a_reader(left, [("list",)]).values()] == [0]


@pytest.mark.clause("LI-587")
def test_a_file_that_may_not_be_read_is_told(home: Path, made: str) -> None:
    """Which one, and to whom it belongs to change that."""
    ((code, said),) = as_a_reader(home / "home", [("show", made)], unreadable=RUNS).values()

    assert (code, f"{RUNS} may not be read" in said) == (77, True)


@pytest.mark.clause("LI-588")
def test_a_key_that_others_may_read_hinders_no_look(home: Path, door: Door, made: str) -> None:
    """Only signing is refused, and nothing is made beside the keys."""
    before = [door(*call) for call in looks(made)]
    (home / "home" / "keys" / "receipt.pem").chmod(0o644)

    after = [door(*call) for call in looks(made)]

    assert after == before
    assert door("fsck") == 0, door.out
    assert door("receipts", made, "--save", home / "kept") == 0
    assert door("pause", "--id", made, "--reason", "drill") == 77
    assert "chmod 600" in door.err
