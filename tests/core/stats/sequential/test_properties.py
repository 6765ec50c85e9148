# SPDX-License-Identifier: Apache-2.0
"""Any buckets come in; worse outcomes must never lower evidence of harm, and stacked replicates must not mix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.stats.bins import Histogram
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import binary, ceiling, exceedance, mean, pairs, rate, sequence, wealth
from lockgate.core.stats.sequential.null import Null

# Room for the rounding of sums of a few hundred terms; evidence is compared to nine decimals.
ROUNDING = 1e-9
nulls = st.builds(Null, st.floats(0.5, 4.0), st.floats(-0.5, 0.9))
plug_ins = st.floats(0.001, 0.999)
sizes = st.integers(1, 10_000)


@st.composite
def outcome(draw: st.DrawFn) -> tuple[int, int]:
    """Return a bucket's runs and events of one arm, with one run left without the event."""
    n = draw(sizes)
    return n, draw(st.integers(0, n - 1))


@pytest.mark.clause("ST-63")
@given(outcome(), outcome(), plug_ins, nulls)
def test_one_more_candidate_event_raises_binary_evidence_of_harm(
    candidate: tuple[int, int], baseline: tuple[int, int], plug_in: float, null: Null
) -> None:
    """Of the same runs, for every alternative, and lowers every one of the evidence of safety."""
    (n_a, s_a), (n_b, s_b) = candidate, baseline
    events = np.array([s_a, s_a + 1])

    harm = binary.increments(n_a, events, n_b, s_b, plug_in, null)
    safety = binary.mirrored_increments(n_a, events, n_b, s_b, plug_in, null)

    assert (harm[1] >= harm[0] - ROUNDING).all()
    assert (safety[1] <= safety[0] + ROUNDING).all()


@pytest.mark.clause("ST-63")
@given(outcome(), outcome(), plug_ins, nulls)
def test_one_more_baseline_event_lowers_binary_evidence_of_harm(
    candidate: tuple[int, int], baseline: tuple[int, int], plug_in: float, null: Null
) -> None:
    """Of the same runs of this bucket; later buckets learn from it through the plug-in."""
    (n_a, s_a), (n_b, s_b) = candidate, baseline

    harm = binary.increments(n_a, s_a, n_b, np.array([s_b, s_b + 1]), plug_in, null)

    assert (harm[1] <= harm[0] + ROUNDING).all()


@pytest.mark.clause("ST-63")
@settings(max_examples=30)
@given(st.lists(st.tuples(outcome(), outcome()), min_size=2, max_size=6), st.data(), nulls)
def test_one_more_candidate_event_anywhere_raises_the_whole_process(
    buckets: list[tuple[tuple[int, int], tuple[int, int]]], data: st.DataObject, null: Null
) -> None:
    """The plug-in knows only the baseline, so no later bucket answers to the candidate's event."""
    changed = data.draw(st.integers(0, len(buckets) - 1))
    extra = np.eye(len(buckets), dtype=int)[changed]
    (n_a, s_a), (n_b, s_b) = (np.array(arm).T for arm in zip(*buckets, strict=True))
    known = binary.plug_in(n_b.cumsum() - n_b, s_b.cumsum() - s_b)

    gains = binary.increments(n_a, np.stack([s_a, s_a + extra]), n_b, s_b, known, null)

    before, after = wealth.log_evidence(gains.sum(axis=1)[:, None], np.ones(1))
    assert after >= before - ROUNDING


@pytest.mark.clause("ST-63")
@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.floats(0.5, 4.0))
def test_one_more_candidate_event_raises_rate_evidence(
    events_a: int, events_b: int, time_a: float, time_b: float, ratio: float
) -> None:
    """At the same exposures."""
    low, high = rate.increments(time_a, np.array([events_a, events_a + 1]), time_b, events_b, ratio)

    assert (high >= low - ROUNDING).all()


@pytest.mark.clause("ST-63")
@given(outcome(), st.floats(0.0, 1.0))
def test_one_more_bad_run_raises_evidence_against_a_ceiling(candidate: tuple[int, int], limit: float) -> None:
    """As an event of the same runs, and as a further run."""
    n, s = candidate

    before, worse, longer = ceiling.increments(np.array([n, n, n + 1]), np.array([s, s + 1, s + 1]), limit)

    assert (np.minimum(worse, longer) >= before - ROUNDING).all()


@pytest.mark.clause("ST-63")
@given(st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 1000), st.floats(-0.99, 0.99))
def test_one_more_loss_raises_paired_evidence(losses: int, ties: int, wins: int, margin: float) -> None:
    """As a further pair, instead of a tie, or instead of a win; a tie instead of a win raises it too."""
    changes = np.array([[0, 0, 0], [1, 0, 0], [1, -1, 0], [1, 0, -1], [0, 1, -1]])
    lost, tied, won = (np.array([losses, ties, wins]) + changes).T

    gains = pairs.increments(lost, tied, won, margin)

    assert (gains[1:] >= gains[0] - ROUNDING).all()


values_of = st.lists(st.integers(0, 8), min_size=5, max_size=5).filter(lambda counts: counts[0] > 0)
VALUES = np.array([0.0, 0.5, 1.0, 3.0, 9.0])
moments_of = st.builds(mean.Moments, st.just(5), st.just(100.0), st.floats(0.0, 5.0), st.floats(0.0, 900.0))


@pytest.mark.clause("ST-63")
@given(values_of, values_of, st.integers(1, 4), moments_of, st.floats(0.5, 2.0), st.floats(-1.0, 2.0))
def test_a_larger_candidate_value_raises_mean_evidence_of_harm(
    counts_a: list[int], counts_b: list[int], to: int, seen: mean.Moments, ratio: float, offset: float
) -> None:
    """Of the same number of runs; and lowers evidence of safety."""
    worse = np.array(counts_a) + np.eye(5, dtype=int)[to] - np.eye(5, dtype=int)[0]
    both, null = np.array([counts_a, worse]), Null(ratio, offset)
    harm, safety = (mean.bet_on(seen, mean.Span(0.0, 5.0, sign), null) for sign in (1.0, -1.0))

    harms = mean.increments(VALUES, both, VALUES, counts_b, harm)
    safeties = mean.increments(VALUES, both, VALUES, counts_b, safety)

    assert (harms[1] >= harms[0] - ROUNDING).all()
    assert (safeties[1] <= safeties[0] + ROUNDING).all()


@pytest.mark.clause("ST-63")
@given(values_of, st.integers(1, 4), st.integers(-10, 40))
def test_a_slower_candidate_run_never_leaves_the_exceedances(counts: list[int], to: int, index: int) -> None:
    """The threshold is the baseline's alone."""
    slower = np.array(counts) + np.eye(5, dtype=int)[to] - np.eye(5, dtype=int)[0]
    tallies = Histogram(np.array([-3, 0, 4, 9, 30]), np.array([counts, slower]))

    runs, exceeding = exceedance.exceedances(tallies, index)

    assert runs[0] == runs[1]
    assert exceeding[1] >= exceeding[0]


def _replicates(seed: int, rows: int) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    n_a, n_b = 10.0 ** rng.integers(0, 9, (2, 5, rows))
    return {
        "n_a": n_a,
        "n_b": n_b,
        "s_a": np.floor(n_a * rng.random((5, rows))),
        "s_b": np.floor(n_b * rng.random((5, rows))),
        "known": rng.random((5, rows)),
        "ratio": rng.uniform(0.5, 4.0, (5, rows)),
        "offset": rng.uniform(-0.5, 0.9, (5, rows)),
    }


@pytest.mark.clause("ST-64")
@pytest.mark.parametrize("rows", [1, 3, 8])
def test_stacked_binary_replicates_equal_single_ones_bit_for_bit(rows: int) -> None:
    """A leading axis changes nothing, edge cases among them."""
    x = _replicates(7, rows)

    stacked = binary.increments(x["n_a"], x["s_a"], x["n_b"], x["s_b"], x["known"], Null(x["ratio"], x["offset"]))

    single = [
        binary.increments(n_a, s_a, n_b, s_b, known, Null(ratio, offset))
        for n_a, n_b, s_a, s_b, known, ratio, offset in zip(*(a.ravel() for a in x.values()), strict=True)
    ]
    assert np.array_equal(stacked.reshape(-1, 12), np.array(single))


@pytest.mark.clause("ST-64")
def test_stacked_rates_pairs_and_ceilings_equal_single_ones_bit_for_bit() -> None:
    """As for method B."""
    x = _replicates(11, 6)
    flat = [
        tuple(row)
        for row in np.stack([x["n_a"], x["s_a"], x["n_b"], x["s_b"], x["ratio"], x["offset"]], -1).reshape(-1, 6)
    ]

    rates = rate.increments(x["n_a"], x["s_a"], x["n_b"], x["s_b"], x["ratio"])
    paired = pairs.increments(x["s_a"], x["n_b"], x["s_b"], x["offset"])
    limits = ceiling.increments(x["n_a"], x["s_a"], x["known"])

    assert np.array_equal(rates.reshape(-1, 12), [rate.increments(a, b, c, d, r) for a, b, c, d, r, _ in flat])
    assert np.array_equal(paired.reshape(-1, 10), [pairs.increments(b, c, d, m) for _, b, c, d, _, m in flat])
    known = x["known"].ravel()
    assert np.array_equal(
        limits.reshape(-1, 12), [ceiling.increments(flat[i][0], flat[i][1], known[i]) for i in range(len(flat))]
    )


@pytest.mark.clause("ST-64")
def test_stacked_means_equal_single_ones_bit_for_bit() -> None:
    """Rows of nulls and replicates of histograms together."""
    rng = np.random.default_rng(3)
    values, counts_a, counts_b = rng.lognormal(size=37), *rng.integers(0, 9, (2, 4, 37))
    ratios, signs = np.array([1.0, 1.5, 1.0]), np.array([1.0, -1.0, 1.0])
    seen = mean.Moments(3, 500.0, 1.6, 2000.0)
    bet = mean.bet_on(seen, mean.Span(0.0, 5.0, signs), Null(ratios, 0.1))

    stacked = mean.increments(values, counts_a[:, None], values, counts_b[:, None], bet)

    single = [
        [
            mean.increments(values, a, values, b, mean.bet_on(seen, mean.Span(0.0, 5.0, sign), Null(ratio, 0.1)))
            for ratio, sign in zip(ratios.tolist(), signs.tolist(), strict=True)
        ]
        for a, b in zip(counts_a, counts_b, strict=True)
    ]
    assert np.array_equal(stacked, np.array(single))


@pytest.mark.clause("ST-64")
def test_stacked_confidence_sequences_equal_single_ones() -> None:
    """Replicates of whole sequences of buckets."""
    rng = np.random.default_rng(5)
    grid = sequence.offsets(0.05)
    buckets = np.stack(
        [np.full((4, 2), 30), rng.integers(0, 9, (4, 2)), np.full((4, 2), 90), rng.integers(0, 20, (4, 2))], 2
    )
    state = sequence.begin(grid, (2,))

    for n_a, s_a, n_b, s_b in buckets.transpose(0, 2, 1):
        state = sequence.advance(state, n_a, s_a, n_b, s_b)

    low, high = sequence.bounds(state, 0.1)
    single = [sequence.confidence_sequence(buckets[:, i], 0.1, grid) for i in range(2)]
    assert [low.tolist(), high.tolist()] == np.array(single).T.tolist()
