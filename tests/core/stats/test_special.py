# SPDX-License-Identifier: Apache-2.0
"""Beta, normal, Student and binomial functions agree with independent oracles."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from numpy.typing import NDArray

from lockgate.core.stats.special import (
    binomial_tail,
    log_beta,
    normal_cdf,
    normal_density,
    normal_quantile,
    student_quantile,
)

Floats = NDArray[np.float64]


def worst(actual: Floats, expected: Floats) -> float:
    """Return the largest relative error."""
    return float(np.max(np.abs(actual - expected) / np.abs(expected)))


@pytest.mark.clause("ST-02")
def test_log_beta_does_not_cancel() -> None:
    """With arguments from 1e-6 to 1e9, in any proportion, the error is below 2e-12."""
    rng = np.random.default_rng(2)
    a, b = 10.0 ** rng.uniform(-6, 9, (2, 500))
    with mpmath.workprec(160):
        expected = np.array([float(mpmath.log(mpmath.beta(x, y))) for x, y in zip(a.tolist(), b.tolist(), strict=True)])

    assert worst(log_beta(a, b), expected) < 2e-12


@pytest.mark.clause("ST-02")
def test_normal_functions_agree_with_scipy() -> None:
    """Both tails of the distribution, its density and its quantiles are right to 1e-12."""
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-37, 8, 500), rng.uniform(-3, 3, 500)])
    p = np.concatenate(
        [10.0 ** rng.uniform(-300, -1, 500), rng.uniform(0, 1, 500), 1 - 10.0 ** rng.uniform(-15, -1, 99)]
    )

    errors = [
        worst(normal_cdf(x), scipy.special.ndtr(x)),
        worst(normal_density(x), scipy.stats.norm.pdf(x)),
        worst(normal_quantile(p), scipy.special.ndtri(p)),
    ]

    assert max(errors) < 1e-12


@pytest.mark.clause("ST-02")
def test_student_quantile_agrees_with_scipy() -> None:
    """From 1 to 1e9 degrees of freedom and p from 1e-6 to 1 - 1e-6 the error is below 1e-10."""
    rng = np.random.default_rng(4)
    p = np.concatenate([10.0 ** rng.uniform(-6, -1, 300), rng.uniform(0, 1, 300), 1 - 10.0 ** rng.uniform(-6, -1, 300)])
    df = 10.0 ** rng.uniform(0, 9, p.size)

    assert worst(student_quantile(p, df), scipy.stats.t.ppf(p, df)) < 1e-10


@pytest.mark.clause("ST-02")
def test_binomial_tail_agrees_with_scipy() -> None:
    """Up to a hundred thousand trials both tails are right to 1e-12."""
    rng = np.random.default_rng(5)
    n = np.floor(10.0 ** rng.uniform(0, 5, 800))
    p = rng.uniform(0.001, 0.999, 800)
    k = np.clip(np.rint(n * p + 2 * rng.normal(size=800) * np.sqrt(n * p * (1 - p))), 0, n)

    assert worst(binomial_tail(k, n, p), scipy.stats.binom.sf(k - 1, n, p)) < 1e-12


def test_binomial_tail_at_the_ends() -> None:
    """No event at least, more events than trials, and sure or impossible events answer exactly."""
    actual = binomial_tail([0, 6, 5, 1, 0], 5, [0.3, 0.3, 1.0, 0.0, 0.0])

    assert actual.tolist() == [1.0, 0.0, 1.0, 0.0, 1.0]


def test_quantiles_at_the_ends() -> None:
    """The middle is exactly 0, the ends are infinite, and what is no share is no number."""
    p = np.array([0.0, 0.5, 1.0, 1.5])

    actual = np.stack([normal_quantile(p), student_quantile(p, 7.0)])

    assert np.array_equal(actual, [[-np.inf, 0.0, np.inf, np.nan]] * 2, equal_nan=True)


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """Each value of an array has the bits that it has alone."""
    rng = np.random.default_rng(6)
    p, df, n = rng.uniform(0, 1, 40), 10.0 ** rng.uniform(0, 7, 40), np.floor(10.0 ** rng.uniform(0, 5, 40))
    k = np.floor(n * p)

    together = np.stack([student_quantile(p, df), binomial_tail(k, n, p), normal_cdf(df), log_beta(df, n)])

    alone = [
        [student_quantile(p[i], df[i]), binomial_tail(k[i], n[i], p[i]), normal_cdf(df[i]), log_beta(df[i], n[i])]
        for i in range(40)
    ]
    assert together.T.tolist() == np.array(alone).tolist()
