# SPDX-License-Identifier: Apache-2.0
"""Quantiles of histograms and their order-statistic limits."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from numpy.typing import NDArray

from lockgate.core.stats.bins import Histogram, from_pairs, histogram, index_of, lower_edge, merge, spread, upper_edge
from lockgate.core.stats.fixed.quantile import quantile, quantile_difference, quantile_interval, ranks


def table(micro: NDArray[np.int64]) -> Histogram:
    """Return one histogram per row of values."""
    indices, position = np.unique(index_of(micro), return_inverse=True)
    row = np.arange(micro.shape[0])[:, None] * indices.size
    counts = np.bincount((position.reshape(micro.shape) + row).reshape(-1), minlength=micro.shape[0] * indices.size)
    return Histogram(indices.astype(np.int64), counts.reshape(micro.shape[0], -1))


SHARES = [Fraction(1, 2), Fraction(9, 10), Fraction(95, 100), Fraction(99, 100), Fraction(999, 1000)]


@pytest.mark.clause("ST-14")
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=60), st.sampled_from(SHARES))
def test_a_quantile_is_within_one_percent_of_its_run(values: list[int], q: Fraction) -> None:
    """The quantile is the value of rank ceil(q n), to the 1 % of its bin."""
    exact = sorted(values)[-(-len(values) * q.numerator // q.denominator) - 1] / 1e6

    assert abs(float(quantile(histogram(values), q)) - exact) <= 0.01 * abs(exact) + 1e-15


def test_a_decimal_means_the_fraction_that_it_writes() -> None:
    """0.95 of 20 runs is the 19th, though the float is a little above 19/20; also 0.1 + 0.2 means 3/10."""
    twenty = from_pairs([(index, 1) for index in range(1, 21)])

    assert quantile(twenty, 0.95) == quantile(twenty, Fraction(19, 20)) == 19e-6
    assert quantile(twenty, 0.1 + 0.2) == 6e-6


@pytest.mark.clause("ST-15")
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("q", SHARES, ids=str)
def test_ranks_are_the_tightest_that_hold(q: Fraction, level: float) -> None:
    """For every n to 400 each tail is at most half of what the level leaves, and one rank less would be more."""
    n = np.arange(1, 401)
    tail = (1 - level) / 2

    low, high = ranks(n, q, level)

    assert (scipy.stats.binom.cdf(low - 1, n, float(q)) <= tail).all()
    assert (scipy.stats.binom.cdf(low, n, float(q)) > tail).all()
    assert (scipy.stats.binom.sf(high - 1, n, float(q)) <= tail).all()
    assert (scipy.stats.binom.sf(high - 2, n, float(q)) > tail).all()


@pytest.mark.clause("ST-15")
def test_ranks_of_large_samples_hold_and_are_tight_to_one() -> None:
    """From the expansion, too, tails are never above the level's, and two ranks less would be."""
    rng = np.random.default_rng(8)
    n = np.floor(10.0 ** rng.uniform(3, 8, 300)).astype(np.int64)

    failures = []
    for q in (0.5, 0.95, 0.999):
        low, high = ranks(n, q, 0.95)
        outside = [scipy.stats.binom.cdf(low - 1, n, q), scipy.stats.binom.sf(high - 1, n, q)]
        tighter = [scipy.stats.binom.cdf(low + 1, n, q), scipy.stats.binom.sf(high - 3, n, q)]
        failures += [(tail > 0.025).sum() for tail in outside] + [(tail <= 0.025).sum() for tail in tighter]

    assert sum(failures) == 0


@pytest.mark.clause("ST-15")
def test_intervals_cover_in_simulation() -> None:
    """In 2,000 seeded samples of 200 lognormal values, the p90 is covered as often as enumeration says, and binned."""
    rng = np.random.default_rng(9)
    micro = np.rint(rng.lognormal(4, 0.7, (2000, 200)) * 1e6).astype(np.int64)
    true = float(scipy.stats.lognorm.ppf(0.9, 0.7, scale=np.exp(4)))
    low_rank, high_rank = ranks(200, 0.9, 0.95)
    promised = scipy.stats.binom.cdf(high_rank - 1, 200, 0.9) - scipy.stats.binom.cdf(low_rank - 1, 200, 0.9)

    _, low, high = quantile_interval(table(micro), 0.9, 0.95)

    covered = ((low <= true) & (true <= high)).mean()
    assert promised >= 0.95
    assert promised - 3 * np.sqrt(promised * (1 - promised) / 2000) < covered < 1.0


def test_limits_are_the_outer_edges_of_their_bins() -> None:
    """The limits reach to the last value that the limiting bins may hold."""
    bins = from_pairs([(700, 3), (710, 4), (720, 3)])

    value, low, high = quantile_interval(bins, 0.5, 0.95)

    assert (low, high) == (lower_edge(700) / 1e6, (upper_edge(720) - 1) / 1e6)
    assert low < value < high


OPEN = {
    "a p95 of 30 runs has no upper limit": (30, 0.95, (False, True)),
    "a median of 3 runs has no limits": (3, 0.5, (True, True)),
    "a median of 30 runs has both": (30, 0.5, (False, False)),
    "without runs there is nothing": (0, 0.5, (True, True)),
}


@pytest.mark.parametrize(("n", "q", "expected"), OPEN.values(), ids=OPEN.keys())
def test_limits_are_infinite_where_no_run_bounds(n: int, q: float, expected: tuple[bool, bool]) -> None:
    """Too few runs leave a side open instead of inventing a limit."""
    _, low, high = quantile_interval(from_pairs([(i, 1) for i in range(1, n + 1)]), q, 0.95)

    assert (low == -np.inf, high == np.inf) == expected


@pytest.mark.clause("ST-15")
def test_differences_cover_in_simulation() -> None:
    """In 1,000 seeded pairs of samples, p90 - 1.2 x p90 is covered at least as often as the level says."""
    rng = np.random.default_rng(10)
    micro = np.rint(rng.lognormal(4, 0.7, (1000, 2, 250)) * 1e6).astype(np.int64)
    true = -0.2 * float(scipy.stats.lognorm.ppf(0.9, 0.7, scale=np.exp(4)))

    _, low, high = quantile_difference(table(micro[:, 0]), table(micro[:, 1]), 0.9, 0.9, 1.2)

    assert ((low <= true) & (true <= high)).mean() > 0.9


def test_replicates_are_computed_by_row() -> None:
    """Counts with a leading axis give each row what its own histogram gives."""
    rng = np.random.default_rng(11)
    parts = [histogram(np.rint(rng.lognormal(4, 1, n) * 1e6).astype(np.int64)) for n in (5, 80, 3000)]
    indices = merge(merge(parts[0], parts[1]), parts[2]).indices
    rows = Histogram(indices, np.stack([spread(part, indices) for part in parts]))

    together = np.stack(quantile_difference(rows, parts[1], Fraction(9, 10), 0.95))

    alone = [[float(x) for x in quantile_difference(part, parts[1], Fraction(9, 10), 0.95)] for part in parts]
    assert together.T.tolist() == alone


@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, 95])
def test_a_quantile_that_is_none_is_refused(q: float) -> None:
    """A share outside (0, 1) raises ValueError."""
    with pytest.raises(ValueError, match="quantile"):
        quantile(from_pairs([(1, 1)]), q)
