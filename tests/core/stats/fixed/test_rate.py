# SPDX-License-Identifier: Apache-2.0
"""Score limits of rates cover as they say where counts are Poisson."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from lockgate.core.stats.fixed.rate import poisson_score, rate_difference


@pytest.mark.clause("ST-12")
@pytest.mark.parametrize("count", [0, 1, 7, 400])
def test_limits_are_where_the_score_test_rejects(count: int) -> None:
    """At each limit the score statistic is the normal quantile, 1.96 standard deviations from the count."""
    low, high = poisson_score(count, 20.0, 0.95)
    z = scipy.stats.norm.ppf(0.975)

    assert (20 * high - count) / np.sqrt(20 * high) == pytest.approx(z, rel=1e-9)
    assert low == 0.0 if count == 0 else (count - 20 * low) / np.sqrt(20 * low) == pytest.approx(z, rel=1e-9)


@pytest.mark.clause("ST-12")
def test_one_rate_is_covered() -> None:
    """For means from 3 to 60 enumerated coverage at 95 % averages within 1 % of it and stays above 92 %."""
    counts = np.arange(400)
    low, high = poisson_score(counts, 1.0, 0.95)
    means = np.linspace(3, 60, 229)[:, None]

    coverage = (scipy.stats.poisson.pmf(counts, means) * ((low <= means) & (means <= high))).sum(axis=1)

    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.92


@pytest.mark.clause("ST-12")
@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.5])
def test_a_difference_of_rates_is_covered(ratio: float) -> None:
    """With exposures 1 and 4, events from 3 an arm, enumerated coverage at 95 % stays between 92 % and 98 %."""
    counts_a, counts_b = np.arange(120)[:, None], np.arange(420)[None, :]
    _, low, high = rate_difference(counts_a, 1.0, counts_b, 4.0, 0.95, ratio)
    coverage = []
    for rate_a in (3.0, 10.0, 40.0):
        for rate_b in (3.0, 12.0, 50.0):
            true = rate_a - ratio * rate_b
            chance = scipy.stats.poisson.pmf(counts_a, rate_a) * scipy.stats.poisson.pmf(counts_b, 4 * rate_b)
            coverage.append(float((chance * ((low <= true) & (true <= high))).sum()))

    assert (min(coverage) > 0.92, max(coverage) < 0.98) == (True, True)
