# SPDX-License-Identifier: Apache-2.0
"""A terminal comes in; `lockgate watch` must draw on it, and leave by how the rollout ended."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.line import BAD, GOOD, Door, write_runs


@pytest.mark.clause("LC-04")
def test_a_terminal_is_drawn_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees the ramp and the meters, not the lines of a log."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TERM", "xterm")
    door = Door(capsys)
    door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD}))
    rollout = door.create("--mode", "canary", "--since", "2h")
    ours, theirs = pty.openpty()

    watching = subprocess.Popen(
        [sys.executable, "-m", "lockgate", "watch", "--id", rollout], stdout=theirs, stderr=theirs, stdin=theirs
    )
    os.close(theirs)
    drawn = read_terminal(ours)
    code = watching.wait(timeout=30)

    assert code == 1
    assert "watched" not in drawn
    assert "ROLLED BACK" in drawn
    assert "roll back" in drawn
    assert "rollback (regression)" not in drawn


@pytest.mark.clause("LC-51")
def test_a_person_sees_how_long_the_watch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until the rollout ends, what is left of --timeout stands on the screen."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TERM", "xterm")
    rollout = Door(capsys).create("--mode", "canary")
    ours, theirs = pty.openpty()
    words = ("watch", "--id", rollout, "--timeout", "2", "--interval", "1")

    watching = subprocess.Popen([sys.executable, "-m", "lockgate", *words], stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    drawn = read_terminal(ours)

    assert watching.wait(timeout=30) == 2
    left = [int(seconds) for seconds in re.findall(r"watched +(?:\x1b\[0m)?for (\d+) s more", drawn)]
    assert (left[0] <= 2, left[-1], left) == (True, 0, sorted(left, reverse=True))


def read_terminal(handle: int) -> str:
    """Return everything that is written to a terminal until its other side is closed."""
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(handle, 65_536)
        except OSError:
            # Linux says so when the last writer has gone.
            part = b""
        if not part:
            os.close(handle)
            return b"".join(parts).decode("utf-8", "replace")
        parts.append(part)
