# SPDX-License-Identifier: Apache-2.0
"""Wilson's and Newcombe's limits: published numbers, vectors, and coverage by enumeration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import scipy.stats
from hypothesis import given

from lockgate.core.stats.fixed.proportion import newcombe, wilson

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[3] / "vectors" / "wilson_newcombe.json").read_text("utf-8")
)
# Newcombe, Stat. Med. 17 (1998) 873, table II, method 10.
TABLE_II = {
    "a: 56/70 - 48/80": ((56, 70, 48, 80), (0.0524, 0.3339)),
    "b: 9/10 - 3/10": ((9, 10, 3, 10), (0.1705, 0.8090)),
    "c: 6/7 - 2/7": ((6, 7, 2, 7), (0.0582, 0.8062)),
    "d: 5/56 - 0/29": ((5, 56, 0, 29), (-0.0381, 0.1926)),
    "e: 0/10 - 0/20": ((0, 10, 0, 20), (-0.1611, 0.2775)),
    "f: 0/10 - 0/10": ((0, 10, 0, 10), (-0.2775, 0.2775)),
    "g: 10/10 - 0/20": ((10, 10, 0, 20), (0.6791, 1.0)),
    "h: 10/10 - 0/10": ((10, 10, 0, 10), (0.6075, 1.0)),
}


@pytest.mark.clause("ST-10")
@pytest.mark.parametrize("case", VECTORS["wilson"], ids=lambda case: f"{case['successes']}/{case['n']}@{case['alpha']}")
def test_wilson_limits_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """Every case agrees to 1e-9 relative, the exact zeros and ones exactly."""
    actual = wilson(case["successes"], case["n"], 1 - case["alpha"])

    assert actual == pytest.approx((case["lower"], case["upper"]), rel=1e-9, abs=0)


@pytest.mark.clause("ST-11")
@pytest.mark.parametrize(("counts", "published"), TABLE_II.values(), ids=TABLE_II.keys())
def test_newcombe_limits_are_the_published_ones(
    counts: tuple[int, int, int, int], published: tuple[float, float]
) -> None:
    """All eight cases of Newcombe's table II agree to its four decimals."""
    _, low, high = newcombe(*counts, 0.95)

    assert (round(float(low), 4), round(float(high), 4)) == published


@pytest.mark.clause("ST-11")
@pytest.mark.parametrize(
    "case", VECTORS["newcombe"], ids=lambda case: f"{case['s1']}/{case['n1']}-{case['s2']}/{case['n2']}"
)
def test_newcombe_limits_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    """Every case agrees to 1e-9 relative with the formula and with statsmodels."""
    _, low, high = newcombe(case["s1"], case["n1"], case["s2"], case["n2"], 1 - case["alpha"])

    assert (low, high) == pytest.approx(tuple(case["formula"]), rel=1e-9, abs=0)
    assert (low, high) == pytest.approx(tuple(case["statsmodels"]), rel=1e-9, abs=0)


@pytest.mark.clause("ST-10")
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_wilson_coverage_by_enumeration(level: float) -> None:
    """With 50 runs, over shares from 2 % to 98 %, coverage is the level on average and never 6 % below it."""
    events = np.arange(51)
    low, high = wilson(events, 50, level)
    shares = np.linspace(0.02, 0.98, 97)[:, None]
    within = (low <= shares) & (shares <= high)

    coverage = (scipy.stats.binom.pmf(events, 50, shares) * within).sum(axis=1)

    assert coverage.mean() == pytest.approx(level, abs=0.01)
    assert coverage.min() > level - 0.06


@pytest.mark.clause("ST-11")
@pytest.mark.parametrize(("ratio", "least"), [(1.0, 0.93), (1.75, 0.92), (0.8, 0.92)])
def test_newcombe_coverage_by_enumeration(ratio: float, least: float) -> None:
    """With 40 and 60 runs and shares from 10 % to 90 %, coverage at 95 % keeps near its level, whatever the ratio."""
    events_a, events_b = np.arange(41)[:, None], np.arange(61)[None, :]
    _, low, high = newcombe(events_a, 40, events_b, 60, 0.95, ratio)
    coverage = []
    for share_a in np.linspace(0.1, 0.9, 9):
        for share_b in np.linspace(0.1, 0.9, 9):
            true = share_a - ratio * share_b
            chance = scipy.stats.binom.pmf(events_a, 40, share_a) * scipy.stats.binom.pmf(events_b, 60, share_b)
            coverage.append((chance * ((low <= true) & (true <= high))).sum())

    assert np.mean(coverage) == pytest.approx(0.95, abs=0.01)
    assert min(coverage) > least


# Runs with and without the event, at least one of them.
tallies = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(lambda pair: (pair[0], max(1, sum(pair))))


@given(tallies, tallies)
def test_swapping_arms_mirrors_the_interval(arm_a: tuple[int, int], arm_b: tuple[int, int]) -> None:
    """The difference b - a has the limits of a - b, mirrored, and both hold the estimate."""
    (e_a, n_a), (e_b, n_b) = arm_a, arm_b

    estimate, low, high = newcombe(e_a, n_a, e_b, n_b, 0.95)

    assert newcombe(e_b, n_b, e_a, n_a, 0.95) == pytest.approx((-estimate, -high, -low), abs=1e-15)
    assert low <= estimate <= high


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_failures_mirror_events(events: int, others: int) -> None:
    """The limits of the share that did not happen are one minus those of the share that did."""
    low, high = wilson(events, events + others, 0.95)

    assert wilson(others, events + others, 0.95) == pytest.approx((1 - high, 1 - low), rel=1e-9, abs=1e-15)
    assert 0.0 <= low <= high <= 1.0


@pytest.mark.clause("ST-11")
@given(tallies, tallies, st.floats(0.2, 3.0))
def test_one_more_bad_run_never_looks_better(arm_a: tuple[int, int], arm_b: tuple[int, int], ratio: float) -> None:
    """An event more in the candidate raises the lower limit, a run more without one lowers the upper."""
    (bad, n_a), (e_b, n_b) = arm_a, arm_b

    _, low, high = newcombe(bad, n_a, e_b, n_b, 0.95, ratio)

    assert newcombe(bad + 1, n_a + 1, e_b, n_b, 0.95, ratio)[1] > low
    assert newcombe(bad, n_a + 1, e_b, n_b, 0.95, ratio)[2] < high


def test_no_runs_say_nothing() -> None:
    """Without runs a share may be anything, and a difference is no number within the other arm's limits."""
    estimate, low, high = newcombe(3, 10, 0, 0, 0.95)

    assert [float(limit) for limit in wilson(0, 0, 0.95)] == [0.0, 1.0]
    assert np.isnan(estimate)
    assert (float(low), float(high)) == pytest.approx((0.10779 - 1, 0.60322), abs=1e-5)


def test_replicates_are_computed_by_row() -> None:
    """A leading axis gives each row the bits that it has alone."""
    events = np.array([[0, 3, 9], [1, 1, 10]])

    together = np.stack(newcombe(events, 10, 2, 30, 0.9, 1.1))

    alone = [[newcombe(int(e), 10, 2, 30, 0.9, 1.1) for e in row] for row in events]
    assert together.tolist() == np.moveaxis(np.array(alone), -1, 0).tolist()


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, -0.5])
def test_a_level_that_is_no_level_is_refused(level: float) -> None:
    """A level outside (0, 1) raises ValueError."""
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level)
