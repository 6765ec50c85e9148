# SPDX-License-Identifier: Apache-2.0
"""The calibration's simulated runs come in; its replicates must gather the very evidence that a rollout's fold does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest

from bench.calibration import laws, ramps, replicates, rollouts
from bench.calibration.laws import Counts, Integers, Split
from bench.calibration.row import Size
from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.sealed import Arms, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.null import Null
from lockgate.core.verdict.judge import judge
from tests.spec.ramp import gate, policy, weights

BUCKETS = 40
REPLICATES = 3
ONE_STEP = weights(50)


def rng() -> np.random.Generator:
    """Return the same draws every time."""
    return np.random.default_rng(7)


def tally(index: Integers) -> Values:
    """Return the tally of runs that are known by their bins."""
    pairs = [(int(place), int(count)) for place, count in zip(*np.unique(index, return_counts=True), strict=True)]
    sizes = [int(bins.representative(place)) for place, _ in pairs]
    total = sum(size * count for size, (_, count) in zip(sizes, pairs, strict=True))
    squares = sum(size * size * count for size, (_, count) in zip(sizes, pairs, strict=True))
    lowest = [int(bins.lower_edge(place)) for place, _ in pairs]
    excess = [(size - low) * count for size, low, (_, count) in zip(sizes, lowest, pairs, strict=True)]
    return Values(len(index), total, squares, tuple(pairs), tuple(excess))


def erring(now: Counts, row: int) -> Arms:
    """Return both arms of a bucket in which runs failed."""

    def arm(n: Integers, s: Integers) -> Bucket:
        return Bucket(int(n[row]), {}, {"error_rate": Events(int(n[row]), int(s[row]))})

    return Arms(arm(now.n_b, now.s_b), arm(now.n_a, now.s_a))


def valued(now: tuple[Integers, Integers], row: int, name: str) -> Arms:
    """Return both arms of a bucket of values."""
    candidate, baseline = (Bucket(len(index[row]), {}, {}, {name: tally(index[row])}) for index in now)
    return Arms(baseline, candidate)


def folded_levels(of: Policy, buckets: Sequence[SealedBucket]) -> list[float]:
    """Return the log evidence of harm of the first gate after each bucket."""
    planned = plan(of)
    state, levels = open_state(planned), []
    for sealed in buckets:
        state = fold(state, sealed, planned)
        levels.append(state.gates[0].levels[0])
    return levels


def simulated(gains: Iterator[Floats], starts: tuple[int, ...] = (0,)) -> Floats:
    """Return the replicates' log evidence after each bucket, [buckets, ..., replicates]."""
    return np.stack([levels[0] for levels in islice(replicates.evidence(gains, (starts,)), BUCKETS)])


def test_replicates_of_a_share_are_folds_also_with_restarts() -> None:
    """Method B: a copy starts with each step of the ramp."""
    course = laws.steady(Split(20, 380), 0.08, 0.05)
    draws = list(islice(laws.shares(rng(), REPLICATES, course), BUCKETS))
    of = policy(gate(detect=None))
    expected = [
        folded_levels(
            of,
            [SealedBucket(number=k, step=k // 14, arms={(): erring(now, row)}) for k, now in enumerate(draws)],
        )
        for row in range(REPLICATES)
    ]

    levels = simulated(replicates.share_gains(draws, Null()), (0, 14, 28))

    np.testing.assert_allclose(levels.T, expected, rtol=1e-9, atol=2e-9)


@pytest.mark.parametrize(
    ("name", "gains"),
    [
        ("cost", lambda draws: (gain[0] for gain in replicates.mean_gains(draws, (1.0,)))),
        ("latency_ms:p95", lambda draws: replicates.quantile_gains(draws, Fraction(95, 100))),
    ],
    ids=["M", "Q"],
)
def test_replicates_of_values_are_folds(name: str, gains: Any) -> None:
    """Methods M and Q: the cap, the bets and the threshold are learned from the baseline alike."""
    of = policy(gate(name, detect=None), steps=ONE_STEP)
    field = of.gates[0].metric.field
    sampler = laws.lognormal(0.8, 200.0)
    draws = list(islice(laws.values(rng(), REPLICATES, Split(5, 95), laws.lognormal(0.8, 260.0), sampler), BUCKETS))
    expected = [
        folded_levels(
            of, [SealedBucket(number=k, step=0, arms={(): valued(now, row, field)}) for k, now in enumerate(draws)]
        )
        for row in range(REPLICATES)
    ]

    levels = simulated(gains(draws))

    np.testing.assert_allclose(levels.T, expected, rtol=1e-9, atol=2e-9)
    assert np.abs(levels[-1]).min() > 0.01


def test_replicates_of_pairs_are_folds() -> None:
    """Method P: losses against wins."""
    draws = list(islice(laws.probes(rng(), REPLICATES, 5, (0.4, 0.4, 0.2)), BUCKETS))
    of = policy(gate("pass_rate:paired", detect=None), steps=ONE_STEP)
    expected = [
        folded_levels(
            of,
            [
                SealedBucket(number=k, step=0, arms={}, pairs={("pass_rate", ()): Pairs(*now[:, row].tolist())})
                for k, now in enumerate(draws)
            ],
        )
        for row in range(REPLICATES)
    ]

    levels = simulated(replicates.pair_gains(draws))

    np.testing.assert_allclose(levels.T, expected, rtol=1e-9, atol=2e-9)


@pytest.mark.parametrize(
    ("promote", "margin"), [(Promote.CLEAN, None), (Promote.PROVEN, Margin(0.0, 0.05))], ids=["clean", "proven"]
)
def test_a_simulated_rollout_says_what_judging_says(promote: Promote, margin: Margin | None) -> None:
    """At every step of a ramp the simulation regresses and claims where the product's verdict does."""
    rules = rollouts.policy(promote, margin)
    planned, judged = plan(rules), rollouts.Judged(plan(rules), 1)
    draws, said, expected = rng(), [], []
    state, totals = open_state(planned), Totals()
    for number in range(30):
        step = number // 10
        n_a = (20, 100, 200)[step]
        events = draws.binomial([n_a, 400 - n_a], [0.08, 0.06])
        counts = Counts(*(np.array([each]) for each in (n_a, events[0], 400 - n_a, events[1])))
        regressed, claimed = judged.look(counts, np.array([step]))
        said.append((bool(regressed[0]), bool(claimed[0] and not regressed[0])))
        sealed = SealedBucket(number=number, step=step, arms={(): erring(counts, 0)})
        state, totals = fold(state, sealed, planned), add(totals, sealed, rules)
        expected.append(outcome_of(state, totals, rules, step))

    assert said == expected
    assert len(set(said)) > 1


def outcome_of(state: EvidenceState, totals: Totals, rules: Policy, step: int) -> tuple[bool, bool]:
    """Return whether the product says regressed, and whether it makes the claim that promotion needs."""
    outcome = judge(state, totals, plan(rules), step).outcome
    return outcome is Outcome.REGRESSED, outcome.value == rules.promote.value


def test_a_case_gives_the_same_row_again() -> None:
    """A case is a function of its generator and size."""
    case, size = ramps.CASES[0], Size(20, 10, smoke=True)

    rows = [[row.document() for row in case.run(rng(), size)] for _ in range(2)]

    assert rows[0] == rows[1]
