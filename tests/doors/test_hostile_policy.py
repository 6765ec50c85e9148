# SPDX-License-Identifier: Apache-2.0
"""Policies and names of files that hold what a terminal obeys come in; it is refused, or shown and not obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockgate.cli import main

MARKS = ["\x9b2J", "\u202e", "\u2028", "\x85", "\u200b", "\x1b[2J"]


@pytest.mark.clause("CO-45")
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("place", ["app", "slice", "id"])
def test_a_policy_holds_only_printable_text(
    place: str, mark: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person cannot see in a policy is a fault of it."""
    text = f"a{mark}b"
    gate: dict[str, object] = {"metric": "error_rate"}
    policy: dict[str, object] = {"app": text if place == "app" else "app", "gates": [gate]}
    gate |= {"slice": {"intent": text}} if place == "slice" else {}
    policy |= {"invariants": [{"id": text, "event": "leak", "max": 0}]} if place == "id" else {}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy))

    code = main.run(["policy", "check", str(path)])

    assert code == 65
    assert "printable text" in capsys.readouterr().err


@pytest.mark.clause("CO-45")
@pytest.mark.parametrize("arguments", [["init"], ["init", "--force"], ["check"]])
def test_the_name_of_a_policy_commands_no_terminal(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file may be called anything."""
    path = tmp_path / "a\x1b[2J.yaml"
    if arguments != ["init"]:
        path.write_text("app: a\n")

    code = main.run(["policy", *arguments, str(path)])

    assert code == 0
    assert "a\\x1b[2J.yaml" in capsys.readouterr().out


@pytest.mark.clause("CO-45")
def test_a_traceback_commands_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The lines to report with a fault of Lockgate's own quote what was read."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("gone\x1b[2J")

    monkeypatch.setattr(main.lockgate, "main", fail)

    code = main.run(["--help"])

    said = capsys.readouterr().err
    assert code == 70
    assert "gone\\x1b[2J" in said
    assert "\x1b" not in said
