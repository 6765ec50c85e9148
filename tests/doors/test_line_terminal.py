# SPDX-License-Identifier: Apache-2.0
"""A terminal comes in; `lockgate watch` must draw on it, and leave by how the rollout ended."""

from __future__ import annotations

import os
import pty
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
    drawn = _read(ours)
    code = watching.wait(timeout=30)

    assert code == 1
    assert "ROLLED BACK" in drawn
    assert "roll back" in drawn
    assert "rollback (regression)" not in drawn


def _read(handle: int) -> str:
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
