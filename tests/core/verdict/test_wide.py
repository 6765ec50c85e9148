# SPDX-License-Identifier: Apache-2.0
"""A few runs of skewed or two-valued metrics come in; neither harm nor its absence may be read from too little."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lockgate.core.evidence.sealed import Arms
from lockgate.core.evidence.totals import Cohorts
from lockgate.core.finding import Outcome
from lockgate.core.metric import Worse
from lockgate.core.policy.gate import Gate, Method
from lockgate.core.verdict.fixed import Levels, judge_fixed
from tests.core.verdict.arms import gate, numbers

ROUNDS = 200
Draws = NDArray[np.float64]


def turned(of: Gate, worse: Worse) -> Gate:
    """Return the gate with an owner's direction."""
    return replace(of, metric=replace(of.metric, worse=worse))


def said(of: Gate, draws: list[tuple[Draws, Draws]]) -> Counter[Outcome]:
    """Count what a gate says of pairs of samples."""
    field = of.metric.field
    cohorts = (Cohorts({(): Arms(numbers(field, b), numbers(field, a))}) for b, a in draws)
    return Counter(judge_fixed(each, (of,), Levels()).findings[0].outcome for each in cohorts)


@pytest.mark.clause("CO-08")
@pytest.mark.parametrize(("worse", "rate"), [(Worse.LOWER, 0.03), (Worse.HIGHER, 0.97)])
def test_a_score_at_its_limit_is_seldom_called_worse_on_thirty_runs(worse: Worse, rate: float) -> None:
    """Thirty runs that all say the same have no spread of their own, and are still only thirty runs."""
    rng = np.random.default_rng(1)
    of = turned(gate("scores.a", limit=rate), worse)
    draws = [(np.zeros(0), rng.binomial(1, rate, 30).astype(float)) for _ in range(ROUNDS)]

    assert said(of, draws)[Outcome.REGRESSED] <= 0.05 * ROUNDS


@pytest.mark.clause("CO-08")
def test_a_rare_tail_that_few_runs_miss_is_not_called_clean() -> None:
    """A mean more than half as high again, carried by one run in sixty, is not clean on thirty runs beside many."""
    rng = np.random.default_rng(2)
    of = gate("cost")

    def tailed(rate: float, size: int) -> Draws:
        return np.asarray(1.0 + 100.0 * rng.binomial(1, rate, size), np.float64)

    draws = [(tailed(0.005, 5000), tailed(0.016, 30)) for _ in range(ROUNDS)]

    assert said(of, draws)[Outcome.CLEAN] <= 0.05 * ROUNDS


@pytest.mark.clause("CO-08")
@pytest.mark.parametrize(("name", "runs", "rate"), [("latency_ms:p95", 30, 0.08), ("latency_ms:p99", 100, 0.015)])
def test_a_resampled_quantile_is_not_clean_where_runs_cannot_bound_it(name: str, runs: int, rate: float) -> None:
    """Resampling cannot show what none of the runs has seen."""
    rng = np.random.default_rng(3)
    of = gate(name, method=Method.BOOTSTRAP)
    draws = [
        (rng.normal(100, 5, runs), np.where(rng.random(runs) < rate, 300.0, rng.normal(100, 5, runs)))
        for _ in range(60)
    ]

    assert said(of, draws)[Outcome.CLEAN] <= 3
