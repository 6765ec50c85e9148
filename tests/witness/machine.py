# SPDX-License-Identifier: Apache-2.0
"""A home and settings come in; the command line of that machine goes out, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockgate.cli import main
from lockgate.demo.router import free_port

__all__ = ["CREATE", "Called", "Machine", "free_port"]

CREATE = ("create", "--app-id", "web", "--baseline", "v1", "--quiet", "--candidate")


@dataclass(frozen=True)
class Called:
    """What a call of the command line came to."""

    returncode: int
    stdout: str
    stderr: str


class Machine:
    """One machine: a home with keys, a folder of marks, and further settings."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.settings = home, settings

    @property
    def environment(self) -> dict[str, str]:
        """Return what is set on it."""
        state = f"{self.home}-state"
        return {"LOCKGATE_HOME": str(self.home), "LOCKGATE_STATE": state, "XDG_STATE_HOME": state, **self.settings}

    def call(self, *words: str) -> Called:
        """Call the command line in this process."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = main.run(words)
        return Called(code, *(each.buffer.getvalue().decode() for each in (out, err)))

    def process(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call the command line in a process of its own, as what ends its process must be, or says a thing once."""
        whole, environment = [sys.executable, "-m", "lockgate", *words], {**os.environ, **self.environment}
        return subprocess.run(whole, env=environment, capture_output=True, text=True, check=False, timeout=120)

    def create(self, candidate: str, *words: str) -> str:
        """Put a candidate on trial; return the rollout's id."""
        done = self.call(*CREATE, candidate, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def act(self, rollout: str, *verbs: str) -> None:
        """Do what operators do to a rollout."""
        for verb in verbs:
            done = self.call(verb, "--id", rollout, "--reason", "drill")
            assert done.returncode == 0, done.stderr
