# SPDX-License-Identifier: Apache-2.0
"""Whole rollouts under the default policy, through the real operations: docs/spec.md, The line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.studies.flow import FLOWS, MISSED_AT_MOST, PROMOTED_AT_LEAST, Flow, study
from bench.studies.table import filled

ROOT = Path(__file__).resolve().parents[2]
MEASURED: dict[str, Any] = json.loads((ROOT / "bench" / "results" / "studies.json").read_text(encoding="utf-8"))
# Seeds of their own: not those of the written results.
FEW, MANY, BEYOND = 30, 300, 100_000


@pytest.mark.clause("LI-148")
@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.runs == 400], ids=str)
def test_the_default_flow_mostly_does_what_it_says(flow: Flow) -> None:
    """In a few rollouts at most three go the wrong way, which has a probability below 1 % at the measured rates."""
    found = study(flow, FEW, BEYOND)

    wrong = found["full"] if flow.is_harmed else 1 - found["full"]
    assert wrong * FEW <= 3


@pytest.mark.slow
@pytest.mark.clause("LI-148")
@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_the_default_flow_does_what_it_says(flow: Flow) -> None:
    """A doubling from 5 % reaches all traffic in at most 5 % of rollouts; no harm is promoted in at least 92 %."""
    found = study(flow, MANY, BEYOND)

    assert found["full"] <= MISSED_AT_MOST if flow.is_harmed else found["full"] >= PROMOTED_AT_LEAST


@pytest.mark.clause("LI-148")
def test_what_was_studied_is_what_is_written() -> None:
    """The results are of the whole size, hold, and stand on the page as they are."""
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")

    assert MEASURED["rollouts"] >= MANY
    assert len(MEASURED["flows"]) == len(FLOWS)
    assert all(row["holds"] for row in MEASURED["flows"])
    assert filled(page, MEASURED) == page
    assert "<!-- studies:flow -->\n300 rollouts" in page
