# SPDX-License-Identifier: Apache-2.0
"""A watch on a terminal comes to its end; what stands on the screen then goes out."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.line import Door
from tests.doors.test_line_terminal import read_terminal

CONTROL = re.compile(r"(\x1b\[\??[0-9;]*[A-Za-z]|\r|\n)")


@pytest.mark.clause("CL-70")
def test_how_a_watch_timed_out_stands_below_the_last_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its weight; no second headline is left over, nor how long it is still watched."""
    for name, value in {"LOCKGATE_HOME": str(tmp_path / "home"), "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LINES", "45")
    rollout = Door(capsys).create("--mode", "canary")
    ours, theirs = pty.openpty()
    words = ("watch", "--id", rollout, "--timeout", "2", "--interval", "1")

    watching = subprocess.Popen([sys.executable, "-m", "lockgate", *words], stdout=theirs, stderr=theirs, stdin=theirs)
    os.close(theirs)
    shown = _shown(read_terminal(ours))

    assert watching.wait(timeout=30) == 2
    headlines = [number for number, line in enumerate(shown) if "ACTIVE" in line]
    endings = [
        number for number, line in enumerate(shown) if line.startswith("timed out after 2 s: 5 % of the traffic")
    ]
    assert (len(headlines), len(endings)) == (1, 1), shown
    assert headlines < endings
    assert not any(line.strip().startswith("watched") for line in shown), shown


def _shown(written: str) -> list[str]:
    """Return the lines that stand on a terminal at the end, by the few controls that a drawing uses."""
    lines, row, column = [""], 0, 0
    for part in CONTROL.split(written):
        if part == "\r":
            column = 0
        elif part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part.startswith("\x1b["):
            # Colours, and whether a cursor is seen, move and wipe nothing.
            row -= int(part[2:-1] or 1) if part.endswith("A") else 0
            lines[row] = "" if part.endswith("K") else lines[row]
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return lines
