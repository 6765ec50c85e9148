# SPDX-License-Identifier: Apache-2.0
"""Looks that cannot tell come in; what they say would help must be true."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from lockgate.core.finding import Outcome
from lockgate.core.stats.fixed.quantile import ranks
from lockgate.core.verdict.needed import runs_to_bound
from tests.core.verdict.arms import gate, look, numbers, shares

SLOW = np.random.default_rng(7).lognormal(5.0, 0.4, 4_000)


@pytest.mark.clause("CO-04")
def test_reaching_min_runs_is_promised_to_begin_and_not_to_settle() -> None:
    """Thirty runs only let the gate look."""
    finding = look(gate("error_rate"), shares("error_rate", 18, 0), shares("error_rate", 500, 0))

    assert finding.reason == "18 baseline runs of the 30 that error_rate needs; 12 more before it says anything"


@pytest.mark.clause("CO-03")
@pytest.mark.parametrize(("quantile", "level"), [("0.999", 0.95), ("0.99", 0.975), ("0.5", 0.95), ("0.01", 0.99)])
def test_a_quantile_is_bounded_from_the_runs_that_are_named_on(quantile: str, level: float) -> None:
    """One run fewer, and the extreme runs bound it from one side only."""
    share = Fraction(quantile)

    needed = runs_to_bound(share, level)

    low, high = ranks(np.array([needed - 1, needed]), share, level)
    bounded = (low >= 1) & (high <= np.array([needed - 1, needed]))
    assert bounded.tolist() == [False, True]


@pytest.mark.clause("CO-03")
def test_a_quantile_without_an_interval_says_from_when_on_it_has_one() -> None:
    """Two thousand runs bound no p99.9; that is no question of how near the releases are."""
    of = gate("latency_ms:p99.9")

    finding = look(of, numbers("latency_ms", SLOW[:2_000]), numbers("latency_ms", SLOW[2_000:]))

    assert finding.outcome is Outcome.INSUFFICIENT
    assert finding.reason.endswith(
        "latency_ms:p99.9 is not bounded from both sides before about 3,700 runs per release"
    )
