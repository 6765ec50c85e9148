# SPDX-License-Identifier: Apache-2.0
"""Two equal releases come in; how often one is called regressed must keep its promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lockgate.core.evidence.sealed import Arms
from lockgate.core.evidence.totals import Cohorts
from lockgate.core.finding import Outcome
from lockgate.core.stats.fixed.proportion import newcombe
from lockgate.core.verdict.fixed import Levels, judge_fixed
from tests.core.verdict.arms import Table, gate, look, numbers, regressed_table, shares
from tests.tallied import values_of

REPEATS = 100
RATES = np.concatenate([np.geomspace(1e-5, 0.5, 150), 1.0 - np.geomspace(1e-5, 0.5, 150)])
SIZES = [
    (30, 30),
    (30, 100),
    (100, 30),
    (100, 100),
    *(pytest.param(*sizes, marks=pytest.mark.slow) for sizes in ((300, 30), (30, 300), (100, 1000))),
]


def _worst(table: Table) -> float:
    """Return the greatest probability, over all rates, that equal arms fall on the table."""
    n_a, n_b = table.shape[0] - 1, table.shape[1] - 1
    a = stats.binom.pmf(np.arange(n_a + 1)[:, None], n_a, RATES)
    b = stats.binom.pmf(np.arange(n_b + 1)[:, None], n_b, RATES)
    return float((a * (table @ b)).sum(axis=0).max())


@pytest.mark.clause("CO-07")
@pytest.mark.parametrize("alpha", [0.05, 0.0125])
@pytest.mark.parametrize(("candidate", "baseline"), SIZES)
def test_equal_shares_are_called_regressed_at_most_alpha_of_the_time(
    candidate: int, baseline: int, alpha: float
) -> None:
    """Over every rate and every outcome the promise holds; the worst found is 3.0 % where 5 % are allowed."""
    assert _worst(regressed_table(candidate, baseline, alpha)) <= 0.62 * alpha


@pytest.mark.clause("CO-08")
def test_the_interval_alone_would_not_keep_the_promise() -> None:
    """Newcombe's interval by itself calls 1,000 equal runs worse than 30 in 9 % of cases."""
    a, b = np.arange(1001)[:, None], np.arange(31)[None, :]

    table = np.asarray(newcombe(a, 1000, b, 30, 0.95)[1] > 0.0)

    assert 0.09 < _worst(table) < 0.092


@pytest.mark.clause("CO-08")
def test_a_small_skewed_baseline_does_not_condemn() -> None:
    """30 baseline runs of a long-tailed cost against 1,000 equal ones: Welch alone would be red in 10 % of cases."""
    rng = np.random.default_rng(5)
    of = gate("cost")
    looks = [
        look(of, numbers("cost", rng.lognormal(0, 1, 30)), numbers("cost", rng.lognormal(0, 1, 1000))).outcome
        for _ in range(80)
    ]

    assert looks.count(Outcome.REGRESSED) / len(looks) <= 0.05


@pytest.mark.clause("CO-07")
def test_a_family_of_gates_shares_alpha() -> None:
    """Four gates on the same equal releases are red in at most 5 % of cases, all together."""
    rng = np.random.default_rng(11)
    gates = tuple(gate(name, share=0.25) for name in ("error_rate", "latency_ms:p95", "cost", "scores.helpful"))

    def arm() -> Arms:
        sides = []
        for n in (120, 400):
            events = shares("error_rate", n, int(rng.binomial(n, 0.05)))
            values = {
                "latency_ms": values_of(rng.lognormal(5.3, 0.6, n)),
                "cost": values_of(rng.lognormal(-4, 1, n)),
                "scores.helpful": values_of(rng.beta(8, 2, n)),
            }
            sides.append(events.__class__(n, {}, events.events, values))
        return Arms(sides[1], sides[0])

    red = [judge_fixed(Cohorts({(): arm()}), gates, Levels()).outcome is Outcome.REGRESSED for _ in range(REPEATS)]

    assert sum(red) / len(red) <= 0.05 + 3 * (0.05 * 0.95 / REPEATS) ** 0.5
