# SPDX-License-Identifier: Apache-2.0
"""Who may count runs twice is told: docs/spec.md, The line, Runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.line import GOOD, Door, write_runs

TWO_DAYS = 2 * 24 * 60


@pytest.mark.clause("LI-406")
def test_runs_from_before_the_window_are_warned_of(home: Path, door: Door) -> None:
    """Their ids may be forgotten; it is said for runs of releases that are there, and what to write instead."""
    door("ingest", write_runs(home / "today.ndjson", {"v36": GOOD}, runs=50))

    code = door("ingest", write_runs(home / "old.ndjson", {"v36": GOOD}, runs=50, ago=TWO_DAYS, first=50))

    assert code == 0
    assert "warning: 50 runs began before the window in which ids are known" in door.err
    assert "`--dedupe strict`" in door.err


@pytest.mark.clause("LI-406")
@pytest.mark.parametrize("words", [(), ("--dedupe", "strict")])
def test_a_first_import_warns_of_nothing(words: tuple[str, ...], home: Path, door: Door) -> None:
    """Old runs of a release that had none are no repetition, and strictly none is forgotten."""
    if words:
        door("ingest", *words, write_runs(home / "today.ndjson", {"v36": GOOD}, runs=50))

    door("ingest", write_runs(home / "old.ndjson", {"v36": GOOD}, runs=50, ago=TWO_DAYS, first=50))

    assert "began before the window" not in door.err


@pytest.mark.clause("LI-551")
def test_a_release_that_was_only_named_had_no_runs(home: Path, door: Door) -> None:
    """The first import after `create` repeats nothing, also where the other release has runs."""
    door("ingest", write_runs(home / "today.ndjson", {"v36": GOOD}, runs=50))
    door.create()

    door("ingest", write_runs(home / "old.ndjson", {"abc123": GOOD}, runs=50, ago=TWO_DAYS, first=50))

    assert "began before the window" not in door.err


@pytest.mark.clause("LI-406")
def test_a_file_that_grew_within_the_window_warns_of_nothing(home: Path, door: Door) -> None:
    """Its first runs are known."""
    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD}, runs=50, ago=TWO_DAYS))

    door("ingest", write_runs(home / "runs.ndjson", {"v36": GOOD}, runs=60, ago=TWO_DAYS))

    assert "began before the window" not in door.err
    assert "Kept 10 runs" in door.out
