# SPDX-License-Identifier: Apache-2.0
"""Welch's and Student's limits from exact integer sums."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from numpy.typing import NDArray

from lockgate.core.stats.fixed.mean import moments, student, welch
from lockgate.core.stats.micro import MAX_ABS, MICRO

LIMIT = MAX_ABS * MICRO
ARMS = [(2, 3, 0.9), (17, 400, 0.95), (5000, 30, 0.99), (30, 30, 0.999)]


def skewed(seed: int, n: int, spread: float) -> NDArray[np.int64]:
    """Return lognormal values in micro-units."""
    return np.rint(np.random.default_rng(seed).lognormal(0.3, spread, n) * MICRO).astype(np.int64)


def sums(micro: NDArray[np.int64]) -> tuple[int, int, int]:
    """Return how many values there are, their sum and their sum of squares."""
    values = micro.tolist()
    return len(values), sum(values), sum(value * value for value in values)


@pytest.mark.clause("ST-13")
@pytest.mark.parametrize(("n_a", "n_b", "level"), ARMS)
def test_welch_limits_are_those_of_scipy(n_a: int, n_b: int, level: float) -> None:
    """Skewed arms of unequal size and spread get the interval of the unequal-variance t test."""
    a, b = skewed(1, n_a, 1.0), skewed(2, n_b, 1.6)
    oracle = scipy.stats.ttest_ind(a / MICRO, b / MICRO, equal_var=False).confidence_interval(level)

    estimate, low, high = welch(*sums(a), *sums(b), level)

    assert (low, high) == pytest.approx((oracle.low, oracle.high), rel=1e-9)
    assert estimate == pytest.approx((a.mean() - b.mean()) / MICRO, rel=1e-9)


@pytest.mark.clause("ST-13")
@pytest.mark.parametrize(("n_a", "n_b", "level"), ARMS)
def test_welch_limits_touch_zero_at_the_p_value(n_a: int, n_b: int, level: float) -> None:
    """At level 1 - p of ttest_ind_from_stats one limit is zero."""
    a, b = skewed(3, n_a, 1.0), skewed(4, n_b, 1.6) + 2 * MICRO
    stats = [float(part) for arm in (a / MICRO, b / MICRO) for part in (arm.mean(), arm.std(ddof=1), arm.size)]
    p = scipy.stats.ttest_ind_from_stats(*stats, equal_var=False).pvalue

    estimate, low, high = welch(*sums(a), *sums(b), 1 - p)

    assert min(abs(low), abs(high)) < 1e-8 * abs(estimate)
    assert level > 0


def test_a_ratio_scales_the_baseline() -> None:
    """The difference a - 1.5 b has the limits of a against every baseline value times 1.5."""
    a, b = skewed(5, 40, 1.0), 2 * skewed(6, 50, 1.0)

    actual = welch(*sums(a), *sums(b), 0.95, 1.5)

    assert actual == pytest.approx(welch(*sums(a), *sums(b // 2 * 3), 0.95), rel=1e-12)


@pytest.mark.clause("ST-13")
def test_student_limits_are_those_of_scipy() -> None:
    """One arm alone has the interval of the one-sample t test."""
    values = skewed(7, 25, 1.2)
    oracle = scipy.stats.ttest_1samp(values / MICRO, 0.0).confidence_interval(0.9)

    _, low, high = student(*sums(values), 0.9)

    assert (low, high) == pytest.approx((oracle.low, oracle.high), rel=1e-10)


@pytest.mark.clause("ST-13")
@given(st.lists(st.integers(-LIMIT, LIMIT) | st.integers(LIMIT - 9, LIMIT), min_size=2, max_size=20))
def test_moments_are_rounded_once(values: list[int]) -> None:
    """Mean and variance are the exact ones, rounded to a float: far from zero nothing cancels."""
    n, added = len(values), sum(values)
    mean = Fraction(added, n * MICRO)
    variance = (Fraction(sum(v * v for v in values)) - Fraction(added * added, n)) / (n * (n - 1) * MICRO * MICRO)

    actual = [float(moment) for moment in moments(*sums(np.array(values, np.int64)))]

    assert actual == [float(mean), float(variance)]


FEW = {
    "no runs in an arm": ((0, 0, 0, 3, 9, 29), (True, -np.inf, np.inf)),
    "one run in an arm": ((1, 5, 25, 3, 9, 29), (False, -np.inf, np.inf)),
    "constant in both arms": ((3, 9, 27, 4, 8, 16), (False, 1e-6, 1e-6)),
}


@pytest.mark.parametrize(("arms", "expected"), FEW.values(), ids=FEW.keys())
def test_too_few_runs_leave_the_mean_open(
    arms: tuple[int, int, int, int, int, int], expected: tuple[bool, float, float]
) -> None:
    """Below two runs an arm the limits are infinite; arms without spread have one point."""
    estimate, low, high = welch(*arms, level=0.95)

    assert (bool(np.isnan(estimate)), low, high) == pytest.approx(expected)


def test_replicates_are_computed_by_row() -> None:
    """Arrays of sums, wider than any machine integer, give each row what it has alone."""
    rows = [sums(skewed(seed, 20 + seed, 1.0) * (10**9 if seed == 2 else 1)) for seed in range(4)]
    n, total, squares = (np.array(column, object) for column in zip(*rows, strict=True))

    together = np.stack(welch(n, total, squares, 30, 10**8, 10**15, 0.95))

    assert together.T.tolist() == [[float(x) for x in welch(*row, 30, 10**8, 10**15, 0.95)] for row in rows]
