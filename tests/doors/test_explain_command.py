# SPDX-License-Identifier: Apache-2.0
"""A rollout with evidence comes in; `explain` must say what holds at any number of looks, to people and programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.line import BAD, GOOD, Door, write_runs


@pytest.mark.clause("LI-340")
def test_explain_has_the_interval_that_holds_at_any_number_of_looks(door: Door, tmp_path: Path) -> None:
    """In a sentence, and as numbers by gate."""
    runs = write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD})
    assert door("ingest", runs) == 0, door.err
    rollout = door.create("--since", "1h")

    found = door.read("explain", rollout)
    door("explain", rollout)

    shown = found["anytime"]["error_rate"]
    (part,) = [part for part in found["parts"] if part["heading"] == "What holds however often one looks"]
    assert 0 < shown["low"] < BAD - GOOD < shown["high"] < 1
    assert (shown["level"], shown["buckets"] > 0) == (0.95, True)
    assert part["sentences"][0].startswith("error_rate: candidate - baseline lies within +")
    assert "What holds however often one looks:" in door.out
