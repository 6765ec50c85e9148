# SPDX-License-Identifier: Apache-2.0
"""Commands come in whose sentences are longer than a terminal is wide; they must be broken between words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lockgate.adapters.decoders.policy_file import decode_policy
from lockgate.core.declaration.policy_declaration import declare
from tests.doors.line import APP, BAD, GOOD, Door, write_runs
from tests.doors.terminal import COLUMNS, on_terminal

ALL = ("admin", "the deploy job of a pipeline whose name is longer than most are")


@pytest.fixture
def lived(door: Door, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a canary in a store with runs, keys and a manifest."""
    monkeypatch.setenv("NO_COLOR", "1")
    runs = write_runs(home / "runs.ndjson", {"v36": GOOD, "abc123": BAD}, runs=300)
    assert door("ingest", runs) == 0, door.err
    made = door.create("--mode", "canary", "--since", "1h")
    assert door("keys", "create", "--allow", ALL[0], "--name", ALL[1]) == 0, door.err
    assert door("keys", "root", home / "root.pem") == 0, door.err
    assert door("keys", "manifest", "--root", home / "root.pem") == 0, door.err
    return made


@pytest.mark.clause("LI-665")
@pytest.mark.parametrize(
    "words",
    [
        ("keys", "list"),
        ("keys", "manifest"),
        ("tick", "--all"),
        ("show", "{lived}"),
        ("explain", "{lived}"),
        ("receipts", "{lived}"),
        ("list",),
        ("apps",),
        ("runs", "--app-id", APP),
        ("create", "--app-id", APP, "-b", "v36", "-c", "next", "--dry-run"),
        ("fsck",),
    ],
    ids=" ".join,
)
def test_what_is_said_fits_a_terminal(door: Door, lived: str, words: tuple[str, ...]) -> None:
    """No line is wider, and none is cut."""
    shown = on_terminal(door, *(word.format(lived=lived) for word in words))

    wide = [line for line in shown if len(line) > COLUMNS]
    assert wide == []
    assert not any(line.endswith("…") for line in shown)


@pytest.mark.clause("LI-665")
def test_what_is_told_beside_it_fits_a_terminal(door: Door, lived: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings and errors are broken as the rest is; what goes on is indented."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    assert door("create", "--app-id", "billing", "-b", "v36", "-c", "next", "--mode", "canary") == 0, door.err

    first, *rest = door.err.splitlines()
    assert first.startswith("warning: nobody hears which weight is asked for")
    assert max(map(len, (first, *rest))) <= COLUMNS
    assert rest[0].startswith("  ")


@pytest.mark.clause("LI-665")
def test_a_pipe_has_each_sentence_in_one_line(door: Door, lived: str) -> None:
    """What reads it counts lines."""
    assert door("tick", "--id", lived) in (0, 1)

    assert len(door.out.splitlines()) == 1
    assert len(door.out) > COLUMNS


@pytest.mark.clause("LI-669")
@pytest.mark.parametrize(
    ("app", "columns", "shown"),
    [("claims-agent-of-us", COLUMNS, "claims-agent-of-us"), ("a" * 30 + "b" * 30, COLUMNS, "aaaaaaaaa…bbbbbbbb")],
)
def test_a_name_is_cut_only_where_it_has_no_room(
    door: Door, monkeypatch: pytest.MonkeyPatch, app: str, columns: int, shown: str
) -> None:
    """A short name beside it leaves room for a long one."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert door("create", "--app-id", app, "-b", "v36", "-c", "v37") == 0, door.err

    assert door("list") == 0, door.err

    head, row = door.out.splitlines()
    assert row.split()[1] == shown
    assert max(len(head), len(row)) <= columns
    assert door.read("list")["rollouts"][0]["app"] == app


@pytest.mark.clause("LI-666")
def test_a_manifest_is_said_to_be_the_one_that_was_published_last(door: Door, lived: str) -> None:
    """And whether keys have changed since; to a program too."""
    assert door("keys", "manifest") == 0, door.err
    before, said_before = door.out.splitlines()[0], door.read("keys", "manifest")["behind"]
    assert door("keys", "rotate", "receipt", "--yes") == 0, door.err

    assert door("keys", "manifest") == 0, door.err

    assert before == "This was published last, and the log says nothing else of keys since."
    assert door.out.startswith("This was published last, and keys have changed since: `lockgate keys manifest ")
    assert (said_before, door.read("keys", "manifest")["behind"]) == (False, True)


@pytest.mark.clause("LI-667")
def test_a_raw_run_is_shown_whole(door: Door, home: Path) -> None:
    """With every field that it has, and the name of its release as it is."""
    release, labels = "b" * 40, ", ".join(f'"label_{number}": "value {number}"' for number in range(9))
    line = f'{{"run_id": "r", "app_id": "{APP}", "release": "{release}", "status": "ok", "labels": {{{labels}}}}}'
    (home / "one.ndjson").write_text(line + "\n", encoding="utf-8")
    assert door("ingest", home / "one.ndjson") == 0, door.err

    shown = on_terminal(door, "runs", "--app-id", APP)

    text = " ".join(line.strip() for line in shown)
    assert release in text
    assert all(f"labels.label_{number}=value {number}" in text for number in range(9))


@pytest.mark.clause("LI-665")
def test_a_policy_that_is_shown_can_be_copied_from_a_terminal(door: Door, home: Path) -> None:
    """Its promises are comments: a line of one that is broken would be none, and the file no policy."""
    assert door("policy", "init", home / "policy.yaml", "--app", APP) == 0, door.err

    shown = on_terminal(door, "policy", "show", home / "policy.yaml")

    assert declare(decode_policy("\n".join(shown))).app == APP


@pytest.mark.clause("LI-665")
@pytest.mark.parametrize("told", ["0", "-1", "wide", ""])
def test_a_width_that_is_none_is_not_believed(
    door: Door, lived: str, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    """Sentences are as wide as the tables beside them."""
    monkeypatch.setenv("COLUMNS", told)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert door("explain", lived) == 0, door.err

    assert max(map(len, door.out.splitlines())) > COLUMNS / 2
