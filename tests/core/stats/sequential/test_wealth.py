# SPDX-License-Identifier: Apache-2.0
"""Wealth and increments come in; mixtures, copies and rounding must come out as written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.stats.sequential import projection, wealth


@pytest.mark.clause("ST-47")
@pytest.mark.parametrize(("steps", "shares"), [(1, [1.0]), (2, [0.5, 0.5]), (5, [0.5, 0.125, 0.125, 0.125, 0.125])])
def test_half_of_the_wealth_starts_at_the_first_bucket(steps: int, shares: list[float]) -> None:
    """The other half is divided over the later steps."""
    assert wealth.copy_shares(steps).tolist() == shares


@pytest.mark.clause("ST-47")
def test_there_is_no_rollout_without_a_step() -> None:
    """Nothing can be shared over no step."""
    with pytest.raises(ValueError, match="at least one step"):
        wealth.copy_shares(0)


@pytest.mark.clause("ST-47", "ST-48")
def test_a_copy_that_has_not_started_stays_at_wealth_one() -> None:
    """Only running copies take the bucket's increments."""
    grown = wealth.grow(np.zeros((2, 3)), np.array([0.5, 1.0, -2.0]), np.array([True, False]))

    assert grown.tolist() == [[0.5, 1.0, -2.0], [0.0, 0.0, 0.0]]


@pytest.mark.clause("ST-48")
def test_evidence_is_the_log_of_the_shared_mean_wealth() -> None:
    """Alternatives count equally, copies by their share."""
    log_wealth = np.log([[1.0, 3.0], [10.0, 30.0]])

    assert float(wealth.log_evidence(log_wealth, np.array([0.75, 0.25]))) == pytest.approx(math.log(1.5 + 5.0))


@pytest.mark.clause("ST-48")
def test_wealth_too_large_or_small_for_a_float_still_has_a_logarithm() -> None:
    """The mixture is formed relative to its largest part."""
    log_wealth = np.array([[[5000.0, -5000.0]], [[-5000.0, -5001.0]]])

    evidence = wealth.log_evidence(log_wealth, np.ones(1))

    assert evidence.tolist() == pytest.approx([5000.0 - math.log(2), -5000.0 + math.log1p(math.exp(-1)) - math.log(2)])


@pytest.mark.clause("ST-48")
def test_rows_of_fewer_copies_and_alternatives_fit_in_one_array() -> None:
    """What is filled up with -inf and share 0 adds nothing."""
    filled = np.array([[[1.0, 2.0, -np.inf], [-np.inf, -np.inf, -np.inf]], [[0.5, 0.25, 3.0], [1.0, 1.0, 0.0]]])

    evidence = wealth.log_evidence(filled, np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([2, 3]))

    alone = [wealth.log_evidence(filled[0, :1, :2], np.ones(1)), wealth.log_evidence(filled[1], np.array([0.5, 0.5]))]
    assert evidence.tolist() == pytest.approx([float(x) for x in alone])


@pytest.mark.clause("ST-49")
def test_evidence_is_rounded_to_nine_decimals() -> None:
    """So that the last bits never decide; an infinite evidence stays one."""
    assert wealth.round_evidence(np.array([2.9957322735539913, -0.0000000004, np.inf])).tolist() == [
        2.995732274,
        0.0,
        np.inf,
    ]


@pytest.mark.clause("ST-49")
@given(
    st.floats(-1e290, 1e290)
    | st.just(math.inf)
    | st.integers(-(10**6), 10**6).map(lambda halves: (halves + 0.5) / wealth.DECIMALS)
)
def test_one_number_is_rounded_as_in_an_array(level: float) -> None:
    """To the bit, the sign of 0 and halves among them."""
    assert np.float64(wealth.round_evidence(level)).tobytes() == wealth.round_evidence(np.array([level])).tobytes()


@pytest.mark.clause("ST-62")
@pytest.mark.parametrize(
    ("log_evidence", "threshold", "runs", "further"),
    [(1.0, 3.0, 100, 200), (3.0, 3.0, 100, 0), (-0.5, 3.0, 100, None), (0.0, 3.0, 100, None), (1.0, 3.0, 0, None)],
)
def test_further_runs_at_the_growth_so_far(
    log_evidence: float, threshold: float, runs: int, further: int | None
) -> None:
    """A line through the origin; no projection where evidence does not grow."""
    assert projection.runs_to_decision(log_evidence, threshold, runs) == further
