# SPDX-License-Identifier: Apache-2.0
"""Runs of many apps come in by one file; what is said of them stays a line: docs/spec.md, Runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doors.line import Door


@pytest.mark.clause("LI-575")
@pytest.mark.parametrize("count", [10, 300])
def test_ingest_names_ten_apps_and_counts_the_others(door: Door, tmp_path: Path, count: int) -> None:
    """Those with the most runs, and the runs of all are spoken of."""
    file = tmp_path / "runs.ndjson"
    lines = [
        json.dumps({"app_id": f"app{app:03}", "release": "v1", "status": "ok", "run_id": f"{app}-{run}"})
        for app in range(count)
        for run in range(3 if app >= count - 10 else 1)
    ]
    file.write_text("\n".join(lines), encoding="utf-8")

    assert door("ingest", file) == 0

    named = ", ".join(f"app{app:03} 3" for app in range(count - 10, count))
    others = " and 290 more of 290 further apps" if count == 300 else ""
    assert door.out.startswith(f"Kept {len(lines)} runs: {named}{others}.\n")


@pytest.mark.clause("LI-575")
def test_a_program_is_told_of_every_app(door: Door, tmp_path: Path) -> None:
    """What reads JSON reads all of it."""
    file = tmp_path / "runs.ndjson"
    file.write_text(
        "\n".join(json.dumps({"app_id": f"app{app}", "release": "v1", "status": "ok"}) for app in range(20))
    )

    said = door.read("ingest", file, "--json")

    assert said["apps"] == {f"app{app}": 1 for app in range(20)}
