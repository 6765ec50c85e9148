# SPDX-License-Identifier: Apache-2.0
"""Releases and how they behave come in; files of runs that ended just now, and calls of the command line, go out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lockgate.cli import main
from lockgate.wiring import system_clock

APP = "claims-agent"
GOOD, BAD = 0.01, 0.20
ID = re.compile(r"rol_[a-z2-7]{16}")


def write_runs(
    path: Path, rates: dict[str, float], *, runs: int = 2_000, minutes: int = 30, ago: int = 0, first: int = 0
) -> Path:
    """Write runs of releases, by their error rate, spread over the minutes before some minutes ago.

    `first` is the number of the first of them, so that others have other ids.
    """
    drawn = Random(7)  # noqa: S311 -- the same runs in every test
    end = system_clock().now() / 1_000 - 60 * ago
    lines = []
    for number in range(runs):
        started = datetime.fromtimestamp(end - 60 * minutes * (1 - number / runs), UTC)
        for release, rate in rates.items():
            run = {
                "run_id": f"{release}-{first + number}",
                "app_id": APP,
                "release": release,
                "started_at": started.isoformat(),
                "status": "error" if drawn.random() < rate else "ok",
                "latency_ms": round(drawn.lognormvariate(5, 0.4), 3),
            }
            lines.append(json.dumps(run))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Door:
    """The command line, called in this process."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.out = self.err = ""

    def __call__(self, *words: object) -> int:
        """Call a command, keep what it printed, and return its exit code."""
        self._captured.readouterr()
        code = main.run([str(word) for word in words])
        self.out, self.err = self._captured.readouterr()
        return code

    def read(self, *words: object) -> Any:
        """Return the document that a command prints with --json."""
        assert self(*words, "--json") == 0, self.err
        return json.loads(self.out)

    def create(self, *words: object) -> str:
        """Create a rollout and return its id."""
        assert self("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--quiet", *words) == 0, self.err
        return self.out.strip()


def typed(*words: object, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Call the command line as another process, which has to end within some time."""
    call = [sys.executable, "-m", "lockgate", *(str(word) for word in words)]
    return subprocess.run(call, capture_output=True, text=True, check=False, timeout=within_s)
