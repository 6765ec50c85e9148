# SPDX-License-Identifier: Apache-2.0
"""A terminal of 80 columns shows what verifies, replays and checks, and lists receipts; each line must fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.report.text import MIN_COLUMNS, NO_BREAK, fitted, printed, width
from tests.doors.line import Door
from tests.doors.terminal import COLUMNS, bundle, on_terminal, rollout

__all__ = ["bundle", "rollout"]
UNITS = (" %", " pp", " ms")


@pytest.mark.clause("LI-614")
@pytest.mark.parametrize("command", ["verify", "replay", "fsck"])
def test_sentences_fit_a_terminal(door: Door, bundle: list[object], command: str) -> None:
    """They are broken between words, what goes on is indented, and a pipe has each in one line."""
    words = {"verify": bundle, "replay": bundle[:1], "fsck": []}[command]

    shown = on_terminal(door, command, *words)

    assert door(command, *words) == 0
    assert max(map(len, shown)) <= COLUMNS < max(map(len, door.out.splitlines()))
    assert " ".join(shown).split() == door.out.split()


@pytest.mark.clause("LI-664")
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NO_BREAK))),
    st.integers(MIN_COLUMNS + 2, 100),
)
def test_whatever_is_said_fits(lines: list[str], columns: int) -> None:
    """Nothing is lost, nothing commands the terminal, and only what has no space in it is wider."""
    said = printed(line.lstrip(" ") for line in lines)

    fitting = fitted(said, columns)

    assert all(width(line) <= columns or _is_whole(line) for line in fitting.split("\n"))
    assert fitting.split() == said.split()


def _is_whole(line: str) -> bool:
    """Say whether a line is one word, one command, or a number with its unit."""
    return " " not in line.strip() or "`" in line or "lockgate " in line or any(unit in line for unit in UNITS)


@pytest.mark.clause("LI-664")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "  To make it again where it is needed: `lockgate fsck --repair --yes`.",
            "  To make it again where it is needed:\n    `lockgate fsck --repair --yes`.",
        ),
        (
            "Next, with keys: lockgate verify bundle.zip --key KEY.pem --log-key LOG-KEY.txt",
            "Next, with keys:\n  lockgate verify bundle.zip --key KEY.pem --log-key LOG-KEY.txt",
        ),
        (f"made {'k' * 60} in it", f"made\n  {'k' * 60}\n  in it"),
        (
            "what it costs is less than it was before: 12 % of all",
            "what it costs is less than it was before:\n  12 % of all",
        ),
        (
            "\x1b[1mgreen is what is painted\x1b[0m, however long it is now",
            "\x1b[1mgreen is what is painted\x1b[0m, however long it is\n  now",
        ),
    ],
)
def test_what_is_copied_or_belongs_together_stays_in_one_line(said: str, shown: str) -> None:
    """Whoever copies a command, a path or a token copies all of it; paint takes no room."""
    assert fitted(said, 44) == shown


@pytest.mark.clause("LI-615")
@pytest.mark.parametrize("columns", [60, 80, 86, 140])
def test_a_list_of_receipts_fits(door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Whatever its width, no line of it is wider."""
    monkeypatch.setenv("COLUMNS", str(columns))

    assert door("receipts", rollout) == 0, door.err

    assert max(map(len, door.out.splitlines())) <= columns


@pytest.mark.clause("LI-615")
@pytest.mark.parametrize(("columns", "is_beside"), [(60, False), (140, True)])
def test_reasons_stand_where_they_have_room(
    door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch, columns: int, is_beside: bool
) -> None:
    """Where they have none beside the rest they stand below it, and no column has their name."""
    monkeypatch.setenv("COLUMNS", str(columns))

    assert door("receipts", rollout) == 0, door.err

    head, first, *_ = door.out.splitlines()
    reason = "abc123 goes on trial against v36 at 5 %"
    assert ("reason" in head, reason in first) == (is_beside, is_beside)
    assert reason in door.out
