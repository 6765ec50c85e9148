# SPDX-License-Identifier: Apache-2.0
"""Histograms come in; moments, clipping, warm-up and the size of bets must be as declared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.stats.sequential import mean
from lockgate.core.stats.sequential.null import Null

SPAN = mean.Span(0.0, 10.0)
floats = st.floats(-100.0, 100.0)
histograms = st.lists(st.tuples(floats, st.integers(1, 20)), min_size=1, max_size=12)


@pytest.mark.clause("ST-55")
@given(histograms, histograms)
def test_merged_moments_are_those_of_all_values(
    first: list[tuple[float, int]], second: list[tuple[float, int]]
) -> None:
    """Mean and variance of the clipped values of both."""
    span = mean.Span(-50.0, 80.0)
    values, counts = (np.array(column) for column in zip(*first, *second, strict=True))
    here = np.arange(len(values)) < len(first)
    parts = [mean.moments(values[side], counts[side], span) for side in (here, ~here)]
    clipped = np.repeat(np.clip(values, -50.0, 80.0), counts)

    merged = mean.merge(*parts)

    assert (merged.buckets, float(merged.n)) == (2, float(len(clipped)))
    assert float(merged.mean) == pytest.approx(clipped.mean(), abs=1e-9)
    assert float(merged.variance) == pytest.approx(clipped.var(), rel=1e-9, abs=1e-9)


@pytest.mark.clause("ST-55")
def test_merging_nothing_changes_nothing() -> None:
    """Neither before nor after."""
    some = mean.moments([1.0, 2.0, 4.0], [3, 2, 1], SPAN)

    both = [mean.merge(mean.NO_MOMENTS, some), mean.merge(some, mean.NO_MOMENTS)]

    expected = [1.0, 6.0, 11.0 / 6.0, 41.0 / 6.0]
    assert [[m.buckets, m.n, m.mean, m.deviations] for m in both] == [pytest.approx(expected)] * 2


@pytest.mark.clause("ST-54")
def test_nothing_is_bet_before_the_third_bucket() -> None:
    """Two buckets of the baseline size the first bet."""
    bucket = mean.moments([1.0, 2.0, 4.0], [3, 2, 1], SPAN)
    seen = [mean.NO_MOMENTS, bucket, mean.merge(bucket, bucket)]

    gains = [mean.increments([9.0], [5], [1.0], [5], mean.bet_on(moments, SPAN, Null())) for moments in seen]
    alone = [mean.one_sample_increments([9.0], [5], 2.0, moments, SPAN) for moments in seen]

    assert [bool((gain != 0.0).any()) for gain in gains] == [False, False, True]
    assert [bool((gain != 0.0).any()) for gain in alone] == [False, False, True]


@pytest.mark.clause("ST-53")
def test_values_beyond_the_cap_count_as_the_cap() -> None:
    """On both arms and both ends."""
    bet = mean.bet_on(mean.Moments(2, 40.0, 2.0, 60.0), SPAN, Null())

    beyond = mean.increments([-5.0, 3.0, 1e9], [1, 2, 3], [-1.0, 2.0, 11.0], [4, 5, 6], bet)

    assert np.array_equal(beyond, mean.increments([0.0, 3.0, 10.0], [1, 2, 3], [0.0, 2.0, 10.0], [4, 5, 6], bet))


extents = st.tuples(st.floats(-10.0, 0.0), st.floats(0.5, 1000.0))
moments_of = st.builds(mean.Moments, st.just(2), st.just(50.0), st.floats(-10.0, 1000.0), st.floats(0.0, 1e7))


@pytest.mark.clause("ST-54")
@given(extents, moments_of, st.sampled_from([1.0, -1.0]), st.floats(0.5, 2.0), st.floats(-50.0, 50.0))
def test_no_value_costs_more_than_nine_tenths_of_the_wealth(
    extent: tuple[float, float], seen: mean.Moments, sign: float, ratio: float, offset: float
) -> None:
    """Any value of either arm, for every bet."""
    low, cap = extent
    centred = mean.Moments(seen.buckets, seen.n, float(np.clip(seen.mean, low, cap)), seen.deviations)
    bet = mean.bet_on(centred, mean.Span(low, cap, sign), Null(ratio, offset))
    ends, one_each = np.array([low, cap]), np.eye(2)

    # The other arm's single run lies at its own end: all four corners.
    gains = mean.increments(ends, one_each[:, None], ends, one_each[None], bet)

    # Each arm keeps a tenth, so a pair of runs keeps a hundredth.
    assert np.exp(gains).min() >= 0.1 * 0.1 * (1.0 - 1e-12)


@pytest.mark.clause("ST-54")
def test_a_baseline_that_never_varied_is_bet_on_with_shares_of_the_largest_bet() -> None:
    """All scores were 1 so far: a candidate that scores less is soon found out."""
    constant = mean.Moments(2, 50.0, 1.0, 0.0)
    bet = mean.bet_on(constant, mean.Span(0.0, 1.0, -1.0), Null())

    gains = mean.increments([0.0, 1.0], [2, 8], [1.0], [90], bet)

    assert (np.diff(gains) > 0.0).all()
    assert gains[-1] > 2 * np.log(1.8)


@pytest.mark.clause("ST-54")
def test_a_baseline_around_zero_is_bet_on_in_standard_deviations() -> None:
    """A mean of 0 is no scale."""
    bet = mean.bet_on(mean.Moments(2, 50.0, 0.0, 200.0), mean.Span(-10.0, 10.0), Null())

    gains = mean.increments([-1.0, 3.0], [5, 15], [-2.0, 2.0], [10, 10], bet)

    assert gains.max() > 0.5


@pytest.mark.clause("ST-56")
def test_evidence_against_a_limit_grows_with_the_arm_alone() -> None:
    """The same values above a limit and below it, for both signs."""
    seen = mean.Moments(2, 50.0, 3.0, 100.0)

    above, below = (
        mean.one_sample_increments([4.0, 5.0], [10, 10], 3.0, seen, mean.Span(0.0, 10.0, sign)) for sign in (1.0, -1.0)
    )

    assert (above > 0.0).all()
    assert (below < 0.0).all()
