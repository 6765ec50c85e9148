# SPDX-License-Identifier: Apache-2.0
"""Committed results and docs/statistics.md come in; the page must say what was measured, and every bound be kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.calibration import plots, tables
from bench.calibration.row import Check

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "statistics.md"
MEASURED: dict[str, Any] = json.loads((ROOT / "bench" / "results" / "calibration.json").read_text(encoding="utf-8"))
CHECKS = [check for rows in MEASURED["sections"].values() for row in rows for check in row["checks"]]


def test_the_page_says_what_was_measured() -> None:
    """Writing the tables again changes nothing."""
    page = PAGE.read_text(encoding="utf-8")

    assert tables.filled(page, MEASURED) == page


def test_the_page_shows_every_section() -> None:
    """No measurement is left out because it is unwelcome."""
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in MEASURED["sections"] if f"<!-- calibration:{name} -->" not in page] == []


@pytest.mark.parametrize("name", plots.drawings(MEASURED))
def test_the_drawings_show_what_was_measured(name: str) -> None:
    """Drawing again gives the same bytes, and the page shows them."""
    drawn = (ROOT / "docs" / "img" / name).read_text(encoding="utf-8")

    assert drawn == plots.drawings(MEASURED)[name]
    assert f"(img/{name})" in PAGE.read_text(encoding="utf-8")


def test_the_results_are_those_of_a_full_run_and_keep_every_bound() -> None:
    """At least 2,000 replicates over 1,000 buckets; what a bound says is computed again from its value."""
    kept = [
        Check(check["what"], check["value"], check["bound"], at_most=check["relation"] == "<=").holds
        for check in CHECKS
    ]

    assert MEASURED["replicates"] >= 2_000
    assert MEASURED["buckets"] >= 1_000
    assert kept
    assert all(kept)
    assert all(check["holds"] for check in CHECKS)


def test_a_changed_figure_is_seen() -> None:
    """The comparison reads the figures and not only the words around them."""
    changed = json.loads(json.dumps(MEASURED))
    changed["sections"]["false_rollback"][0]["cells"]["observed"] = 0.123

    assert tables.filled(PAGE.read_text(encoding="utf-8"), changed) != PAGE.read_text(encoding="utf-8")
