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
    ("field", "note"),
    [("timestamp", "note: 'timestamp' is no field that is read; did you mean 'started_at'?\n"), ("other", "")],
)
def test_runs_without_a_time_are_told(field: str, note: str, door: Door, tmp_path: Path) -> None:
    """Runs of two days that all count as of now were not compared as they ran."""
    path = tmp_path / "r.ndjson"
    path.write_text("\n".join(json.dumps({**GOOD, "run_id": str(each), field: "2026-11-02"}) for each in range(3)))

    code = door("ingest", "--app-id", APP, path)

    assert (code, "3 runs name no started_at, so that all of them count as of now.\n" in door.out) == (0, True)
    assert door.err == note


@pytest.mark.clause("SV-1071")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", "release,run_id,status,latencyms\nv1,1,ok,7\n"),
        ("r.ndjson", '{"release": "v1", "run_id": "1", "status": "ok", "latencyms": 7}\n'),
    ],
)
def test_a_slip_in_a_file_is_asked_about(name: str, text: str, door: Door, tmp_path: Path) -> None:
    """Its runs are kept, and the latency that they lack is not missed in silence."""
    path = tmp_path / name
    path.write_text(text)

    kept = door.read("ingest", "--app-id", APP, path)

    assert kept["runs"] == 1
    assert kept["notes"] == ["'latencyms' is no field that is read; did you mean 'latency_ms'?"]


@pytest.mark.clause("SV-1072")
def test_a_run_that_says_nothing_to_measure_is_asked_which_field_is_meant(door: Door, tmp_path: Path) -> None:
    """As `compare` asks of a file."""
    path = tmp_path / "r.ndjson"
    path.write_text(json.dumps({"release": "v1", "latencyms": 7, "other": 1}))

    code = door("ingest", "--app-id", APP, path)

    assert code == 65
    assert '; is "latencyms" meant to be latency_ms?' in door.err
