# SPDX-License-Identifier: Apache-2.0
"""Exact tests and net losses of paired probes."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import example, given
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from lockgate.core.stats.fixed.pairs import net_loss_interval, sign_test

small = st.integers(0, 300)


@pytest.mark.clause("ST-16")
@given(small, small)
@example(0, 0)
def test_sign_test_is_the_exact_binomial_test(losses: int, wins: int) -> None:
    """One- and two-sided p-values are those of scipy's binomial test; without losses and wins they are 1."""
    n = losses + wins
    oracle = [scipy.stats.binomtest(losses, n, 0.5, side).pvalue if n else 1.0 for side in ("greater", "two-sided")]

    assert sign_test(losses, wins) == pytest.approx(tuple(oracle), rel=1e-10)


@pytest.mark.clause("ST-16")
def test_of_two_sides_it_is_mcnemars_exact_test() -> None:
    """With 6 and 16 discordant pairs (Agresti's form of the exact test) p = 2 P(X <= 6 | 22, 1/2) = 0.0525."""
    actual = sign_test(6, 16)[1]

    assert actual == pytest.approx(2 * scipy.stats.binom.cdf(6, 22, 0.5), rel=1e-12)
    assert round(float(actual), 4) == 0.0525


@given(small, small)
def test_one_more_loss_never_looks_better(losses: int, wins: int) -> None:
    """The one-sided p-value falls with each loss and rises with each win."""
    now = sign_test(losses, wins)[0]

    assert sign_test(losses + 1, wins)[0] <= now <= sign_test(losses, wins + 1)[0]


def outcomes(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return all ways to split n pairs into losses, ties and wins."""
    losses, ties = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    kept = losses + ties <= n
    return losses[kept], ties[kept], n - losses[kept] - ties[kept]


# Over 400 triples of probabilities drawn evenly, and 400 crowded at the corners: least and mean coverage at 95 %.
COVERAGE = {10: (0.88, 0.975), 30: (0.92, 0.967), 60: (0.93, 0.962)}


@pytest.mark.clause("ST-17")
@pytest.mark.parametrize("n", COVERAGE)
def test_net_losses_are_covered(n: int) -> None:
    """By enumeration, least coverage at 95 % is 0.88, 0.92, 0.93 for 10, 30, 60 pairs; the mean is above 0.95."""
    lost, tied, won = outcomes(n)
    _, low, high = net_loss_interval(lost, tied, won, 0.95)
    ways = gammaln(n + 1) - gammaln(lost + 1) - gammaln(tied + 1) - gammaln(won + 1)
    rng = np.random.default_rng(n)
    coverage = []
    for loss, tie, win in np.concatenate([rng.dirichlet((1, 1, 1), 400), rng.dirichlet((0.3, 0.3, 0.3), 400)]):
        chance = np.exp(ways + xlogy(lost, loss) + xlogy(tied, tie) + xlogy(won, win))
        coverage.append(chance[(low <= loss - win) & (loss - win <= high)].sum())

    least, most_mean = COVERAGE[n]
    assert min(coverage) > least
    assert 0.95 < np.mean(coverage) < most_mean


@given(small, small, small)
def test_net_losses_lie_in_their_limits_and_mirror(losses: int, ties: int, wins: int) -> None:
    """The estimate is within its limits, and swapping the arms mirrors all three."""
    net, low, high = net_loss_interval(losses, ties, wins, 0.95)

    assert np.isnan(net) if losses + ties + wins == 0 else -1.0 <= low <= net <= high <= 1.0
    assert net_loss_interval(wins, ties, losses, 0.95)[1:] == (-high, -low)
