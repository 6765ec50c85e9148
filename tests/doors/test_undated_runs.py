# SPDX-License-Identifier: Apache-2.0
"""Files whose runs name no time, as somebody ingests them: docs/spec.md, The line, Runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.line import APP, Door

GOOD = {"release": "v1", "status": "ok"}


@pytest.mark.clause("LI-468")
def test_one_run_without_a_time_is_one(door: Door, tmp_path: Path) -> None:
    """It is not "all of them"."""
    path = tmp_path / "r.ndjson"
    path.write_text(json.dumps({**GOOD, "run_id": "1"}))

    door("ingest", "--app-id", APP, path)

    assert "1 run names no started_at, so that it counts as of now.\n" in door.out


@pytest.mark.clause("LI-468")
@pytest.mark.parametrize(
    ("field", "hint"), [("timestamp", "; is `timestamp` meant to be started_at?"), ("other", "count as of now.\n")]
)
def test_runs_without_a_time_are_told(field: str, hint: str, door: Door, tmp_path: Path) -> None:
    """Runs of two days that all count as of now were not compared as they ran."""
    path = tmp_path / "r.ndjson"
    path.write_text("\n".join(json.dumps({**GOOD, "run_id": str(each), field: "2026-11-02"}) for each in range(3)))

    code = door("ingest", "--app-id", APP, path)

    assert (code, "3 runs name no started_at, so that all of them count as of now" in door.out) == (0, True)
    assert hint in door.out
