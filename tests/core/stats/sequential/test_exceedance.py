# SPDX-License-Identifier: Apache-2.0
"""Histograms and margins come in; thresholds must lie on bin edges, on the careful side of the margin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.stats.bins import Histogram, histogram, index_of, upper_edge
from lockgate.core.stats.sequential import exceedance

indices = st.integers(-1500, 1500)
ratios = st.one_of(st.just(1.0), st.floats(0.5, 4.0))
offsets = st.one_of(st.just(0), st.integers(-(10**9), 10**9))


@pytest.mark.clause("ST-58")
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_threshold_is_an_edge_of_the_bin_of_the_quantile(values: list[int], p: float) -> None:
    """At its lower edge at least 1 - p of the baseline exceeds it, at its upper edge no more; some run always does."""
    baseline = histogram(values)

    index = exceedance.threshold(baseline, p)

    beyond, next_beyond, last_beyond = exceedance.exceedances(baseline, np.array([0, 1, -1]) + index)[1].tolist()
    aim = (1.0 - p) * len(values) + 1e-9
    assert beyond > 0
    assert next_beyond <= aim
    assert last_beyond >= aim - 2e-9


@pytest.mark.clause("ST-58")
@pytest.mark.parametrize(
    ("counts", "index"),
    {
        "the upper edge leaves 5 of 100, the lower 7": ([93, 2, 5], 20),
        "the upper edge leaves 4 of 100, the lower 6": ([94, 2, 4], 19),
        "a time-out that nothing exceeds": ([90, 0, 10], 29),
    }.values(),
    ids=str,
)
def test_the_nearer_edge_by_ratio_is_the_threshold(counts: list[int], index: int) -> None:
    """For p95, bins 10, 20 and 30."""
    assert int(exceedance.threshold(Histogram(np.array([10, 20, 30]), np.array(counts)), 0.95)) == index


@pytest.mark.clause("ST-58")
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=60), indices)
def test_exceedances_are_the_values_at_or_above_the_upper_edge(values: list[int], index: int) -> None:
    """Counts of bins give the same as the values themselves."""
    runs, exceeding = exceedance.exceedances(histogram(values), index)

    assert (int(runs), int(exceeding)) == (len(values), sum(value >= upper_edge(index) for value in values))


@pytest.mark.clause("ST-58")
def test_each_row_of_thresholds_counts_the_same_histogram() -> None:
    """Rows of margins share one bucket."""
    runs, exceeding = exceedance.exceedances(Histogram(np.array([1, 5, 9]), np.array([10, 20, 30])), [0, 5, 9])

    assert runs.tolist() == [60, 60, 60]
    assert exceeding.tolist() == [60, 30, 0]


@pytest.mark.clause("ST-59")
@given(indices, ratios, offsets)
def test_thresholds_lie_on_the_careful_side_of_the_margin_and_within_a_bin(
    index: int, ratio: float, offset: int
) -> None:
    """At or above the moved edge for evidence of harm, at or below it for the promotion twin."""
    edge = int(upper_edge(index))
    moved = edge + (ratio - 1.0) * abs(edge) + offset

    harm = exceedance.harm_threshold(index, ratio, offset)
    twin = exceedance.mirrored_threshold(index, ratio, offset)

    slack = 1.0 + 1e-15 * abs(moved)
    assert upper_edge(harm) >= moved - slack
    assert upper_edge(harm - 1) < moved + slack
    assert upper_edge(twin) <= moved + slack
    assert upper_edge(twin + 1) > moved - slack


@pytest.mark.clause("ST-59")
@given(indices)
def test_without_a_margin_both_arms_have_the_same_threshold(index: int) -> None:
    """Nothing is lost to rounding."""
    assert int(exceedance.harm_threshold(index)) == index
    assert int(exceedance.mirrored_threshold(index)) == index


@pytest.mark.clause("ST-59")
def test_a_margin_beyond_the_table_is_exceeded_by_nothing() -> None:
    """The threshold is the last bin."""
    last = int(index_of(10**18))

    assert int(exceedance.harm_threshold(last, 9.0, 10**18)) == last
