# SPDX-License-Identifier: Apache-2.0
"""Files of runs come in; one `create --since` and one tick must decide, or say why they cannot."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import BAD, GOOD, Door, write_runs

pytestmark = pytest.mark.clause("LI-167")


def _as_csv(file: Path) -> Path:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    with file.with_suffix(".csv").open("w", newline="", encoding="utf-8") as written:
        table = csv.DictWriter(written, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return file.with_suffix(".csv")


@pytest.mark.parametrize("is_csv", [False, True])
def test_one_tick_rolls_back_a_candidate_that_fails_twenty_times_as_often(
    is_csv: bool, tmp_path: Path, door: Door
) -> None:
    """2,000 runs of each release with overlapping times, from one file for each release."""
    files = [
        write_runs(tmp_path / f"{release}.ndjson", {release: rate}, runs=2_000, minutes=minutes)
        for release, rate, minutes in (("v36", GOOD, 45), ("abc123", BAD, 30))
    ]
    assert door("ingest", *(_as_csv(file) if is_csv else file for file in files)) == 0, door.err
    rollout = door.create("--mode", "canary", "--since", "2h")

    code = door("tick", "--id", rollout)

    shown = door.read("show", rollout)
    assert code == exit_codes.REGRESSED.code
    assert (shown["status"], shown["exposed_weight"]) == ("rolled_back", 0.0)


def test_a_baseline_of_yesterday_decides_nothing(tmp_path: Path, door: Door) -> None:
    """The same runs, but never at the same time: the rollout holds, says so, and says what would help."""
    old = write_runs(tmp_path / "old.ndjson", {"v36": GOOD}, ago=24 * 60)
    new = write_runs(tmp_path / "new.ndjson", {"abc123": BAD})
    door("ingest", old, new)
    rollout = door.create("--mode", "canary", "--since", "2d")

    code = door("tick", "--id", rollout)

    ticked = door.out
    door("explain", rollout)
    said = " ".join(door.out.split())
    assert code == 0
    assert "hold (" in ticked
    assert "baseline and candidate never ran together" in said
    assert "send both the same traffic at the same time" in said
    assert door.read("show", rollout)["status"] == "active"
