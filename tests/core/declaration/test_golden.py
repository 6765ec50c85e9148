# SPDX-License-Identifier: Apache-2.0
"""The golden policies come in as files; the bounds that they mean must go out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.gate import Bound, Gate
from lockgate.wiring import read_policy_file

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


def gate_of(name: str) -> Gate:
    """Return the one gate of a golden policy."""
    (gate,) = declare(read_policy_file(str(GOLDEN / name))).gates
    return gate


@pytest.mark.clause("PO-04")
def test_p99_more_than_100_ms_worse() -> None:
    """The amount is in the metric's own unit, and the tail asks for a hundred runs."""
    gate = gate_of("p99_slower_by_100_ms.yaml")

    assert (gate.metric.name, gate.bound(gate.tolerance), gate.min_runs) == ("latency_ms:p99", Bound(1.0, 100.0), 100)


@pytest.mark.clause("PO-04")
def test_error_rate_doubles() -> None:
    """A percentage is of the baseline's value: 100 % more of it is twice as much."""
    gate = gate_of("error_rate_doubles.yaml")

    assert (gate.metric.name, gate.bound(gate.tolerance)) == ("error_rate", Bound(2.0, 0.0))


@pytest.mark.clause("PO-04")
def test_errors_at_most_1_percent() -> None:
    """An objective has a limit and needs no baseline."""
    gate = gate_of("errors_at_most_1_percent.yaml")

    assert (gate.metric.name, gate.limit, gate.is_objective) == ("error_rate", 0.01, True)
    assert gate.id == "error_rate max 0.01"
