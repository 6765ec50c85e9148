# SPDX-License-Identifier: Apache-2.0
"""A command comes in; what a terminal is shown of it goes out, and a paused canary with its bundle to be shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lockgate.cli import progress_line
from tests.doors.line import Door

COLUMNS = 80


@pytest.fixture
def rollout(door: Door) -> str:
    """Return a canary that was paused, in a store with no other receipts."""
    made = door.create("--mode", "canary")
    assert door("pause", "--id", made, "--reason", "a look at it") == 0, door.err
    return made


@pytest.fixture
def bundle(door: Door, rollout: str, tmp_path: Path) -> list[object]:
    """Return what verifies its bundle."""
    saved = tmp_path / "saved"
    assert door("receipts", rollout, "--save", saved) == 0, door.err
    assert door("export", "--rollout", rollout, "-o", tmp_path / "bundle.zip") == 0, door.err
    return [tmp_path / "bundle.zip", "--key", saved / "receipt-key.pem", "--log-key", saved / "log-key.txt"]


def on_terminal(door: Door, *words: object) -> list[str]:
    """Return the lines that a terminal is shown on standard output."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(COLUMNS))
        patch.setattr(sys.stdout, "isatty", lambda: True)
        assert door(*words) == 0, door.err
    return door.out.splitlines()


def watch_progress(patch: pytest.MonkeyPatch, *, is_terminal: bool = True) -> None:
    """Let standard error be a terminal, or a file."""
    patch.setattr(sys.stderr, "isatty", lambda: is_terminal)


def show_at_once(patch: pytest.MonkeyPatch) -> None:
    """Let progress show every count where it shows any."""
    patch.setattr(progress_line, "EVERY_S", 0.0)
