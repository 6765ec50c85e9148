# SPDX-License-Identifier: Apache-2.0
"""A candidate and the same with one more bad run come in; the second must be called regressed where the first is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.finding import Outcome
from tests.core.verdict.arms import gate, look, numbers, regressed_table

LATENCIES = st.lists(st.floats(1.0, 1e5), min_size=30, max_size=60)


@pytest.mark.clause("CO-09")
@pytest.mark.parametrize(("candidate", "baseline"), [(30, 30), (31, 100), (12, 200), (60, 20)])
def test_one_more_failure_never_undoes_a_regression(candidate: int, baseline: int) -> None:
    """Over every table: a run that fails instead of passing, and a further run that fails."""
    table = regressed_table(candidate, baseline, 0.05)
    grown = regressed_table(candidate + 1, baseline, 0.05)

    assert table.any()
    assert (table[1:] >= table[:-1]).all()
    assert (grown[1:] >= table).all()


@pytest.mark.clause("CO-09")
def test_one_more_lost_pair_never_undoes_a_regression() -> None:
    """Over every outcome of up to 40 pairs: a further lost pair, and a tie or a win that is lost instead."""
    of = gate("latency_ms:paired", min_runs=1)

    def is_red(losses: int, ties: int, wins: int) -> bool:
        return look(of, Bucket(), Bucket(), Pairs(losses, ties, wins)).outcome is Outcome.REGRESSED

    red = [
        (losses, ties, wins)
        for ties in (0, 1, 5, 20)
        for losses in range(20)
        for wins in range(6)
        if losses + ties + wins and is_red(losses, ties, wins)
    ]

    assert red
    assert all(is_red(losses + 1, ties, wins) for losses, ties, wins in red)
    assert all(is_red(losses + 1, ties - 1, wins) for losses, ties, wins in red if ties)
    assert all(is_red(losses + 1, ties, wins - 1) for losses, ties, wins in red if wins)


@pytest.mark.clause("CO-09")
@settings(max_examples=20)
@given(LATENCIES, st.floats(1.0, 3.0), st.floats(1.0, 100.0))
def test_one_more_slow_run_never_undoes_a_regressed_quantile(values: list[float], slower: float, far: float) -> None:
    """A further run above all others leaves a regressed p50 regressed."""
    of = gate("latency_ms:p50", detect=None)
    baseline, worse = numbers("latency_ms", values), [value * slower for value in values]

    before = look(of, baseline, numbers("latency_ms", worse)).outcome
    after = look(of, baseline, numbers("latency_ms", [*worse, max(worse) * far])).outcome

    assert before is not Outcome.REGRESSED or after is Outcome.REGRESSED


@pytest.mark.clause("CO-09")
@pytest.mark.parametrize("extreme", [2.0, 10.0, 1e3, 1e6])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_extreme_run_does_not_hide_a_worse_mean(extreme: float, sign: float) -> None:
    """Welch's interval by itself would be blown up by the run that makes the candidate worse still."""
    of = gate("cost" if sign > 0 else "scores.margin", detect=None)
    rng = np.random.default_rng(2)
    baseline, candidate = sign * rng.normal(1.0, 0.05, 100), sign * rng.normal(1.0 + 0.1 * sign, 0.05, 100)
    if sign < 0:
        candidate = baseline - 0.1
    field = of.metric.field

    before = look(of, numbers(field, baseline), numbers(field, candidate))
    after = look(of, numbers(field, baseline), numbers(field, [*candidate, sign * extreme]))

    assert (before.outcome, after.outcome) == (Outcome.REGRESSED, Outcome.REGRESSED)
