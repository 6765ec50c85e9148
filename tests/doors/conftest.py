# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a folder whose store LOCKGATE_HOME names, and the command line on it, go out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate import wiring
from tests.doors.both import StillClock, both, made
from tests.doors.line import Door

__all__ = ["Door", "both", "made"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for files; the store, of which nothing is there yet, is in one of its own."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def door(home: Path, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line on an empty store."""
    return Door(capsys)


@pytest.fixture
def stillness(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """Let time stand still for every call in this process, however long it takes: no wait is over, no age grows."""
    clock = StillClock(wiring.system_clock().now())
    monkeypatch.setattr(wiring, "system_clock", lambda: clock)
    return clock
