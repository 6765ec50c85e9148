# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a recorder that appends to a file there goes out, and what the file holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lockgate import Recorder

VARIABLES = ("LOCKGATE_URL", "LOCKGATE_API_KEY", "LOCKGATE_RUNS_FILE", "LOCKGATE_RELEASE", "OTEL_RESOURCE_ATTRIBUTES")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of this machine say what is recorded, or where."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@dataclass(frozen=True)
class Filed:
    """A recorder and the file that it appends to."""

    recorder: Recorder
    path: Path

    def runs(self) -> list[dict[str, Any]]:
        """Return the runs of the file, when all have arrived."""
        assert self.recorder.flush(60)
        return [json.loads(line) for line in self.path.read_bytes().splitlines()] if self.path.exists() else []

    def run(self) -> dict[str, Any]:
        """Return the one run of the file."""
        (only,) = self.runs()
        return only


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[Filed]:
    """Return a recorder of the release v1."""
    recorder = Recorder(file=tmp_path / "runs.ndjson", release="v1")
    yield Filed(recorder, tmp_path / "runs.ndjson")
    recorder.close(60)
