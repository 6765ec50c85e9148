# SPDX-License-Identifier: Apache-2.0
"""Data that could mislead an engine of bins, caps and steps: docs/spec.md, Verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Role, plan
from lockgate.core.evidence.sealed import Assignment, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.finding import Outcome
from lockgate.core.metric import Worse
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.sequential import ratio_alarm
from tests.spec.ramp import arm, gate, policy, sealed, weights
from tests.tallied import values_of

ONE_STEP = weights(50)
RNG = np.random.default_rng(5)


def numbers(field: str, values: tuple[float, ...]) -> Bucket:
    """Return a bucket of runs that carry a number."""
    return Bucket(len(values), {"ok": len(values)}, {}, {field: values_of(values)} if values else {})


def walked(of: Policy, buckets: list[SealedBucket]) -> tuple[EvidenceState, Totals]:
    """Return what is known after some buckets."""
    planned, totals = plan(of), Totals()
    state = open_state(planned)
    for bucket in buckets:
        state, totals = fold(state, bucket, planned), add(totals, bucket, of)
    return state, totals


def outcome(of: Policy, buckets: list[SealedBucket], step: int = 0) -> Outcome:
    """Return what the first gate says after some buckets."""
    return judge(*walked(of, buckets), plan(of), step).findings[0].outcome


def normal(mean: float, deviation: float, count: int) -> tuple[float, ...]:
    """Return draws of a narrow law."""
    return tuple(RNG.normal(mean, deviation, count).tolist())


@pytest.mark.clause("VE-30")
@pytest.mark.parametrize("tolerance", [0.0, 0.05, 0.2])
def test_gross_harm_in_a_narrow_metric_is_found(tolerance: float) -> None:
    """A latency that hardly varies, ten times as high, lies beyond every cap that the baseline alone would teach."""
    of = policy(gate("latency_ms", tolerance=Margin(tolerance)))
    buckets = [
        sealed(number, numbers("latency_ms", normal(100, 5, 190)), numbers("latency_ms", normal(1000, 50, 10)))
        for number in range(12)
    ]

    said = [outcome(of, buckets[:end]) for end in range(1, 13)]

    assert Outcome.CLEAN not in said
    assert said[-1] is Outcome.REGRESSED


@pytest.mark.clause("VE-30")
@pytest.mark.parametrize(("value", "expected"), [(0.002, Outcome.CLEAN), (0.02, Outcome.REGRESSED)])
def test_a_constant_cost_is_judged(value: float, expected: Outcome) -> None:
    """Without any spread an equal candidate is clean and one ten times as dear is not."""
    of = policy(gate("cost"))
    buckets = [sealed(k, numbers("cost", (0.002,) * 100), numbers("cost", (value,) * 100)) for k in range(30)]

    assert outcome(of, buckets) is expected


@pytest.mark.clause("VE-30")
@pytest.mark.parametrize(("mean", "expected"), [(457.0, Outcome.CLEAN), (24_000.0, Outcome.REGRESSED)])
def test_an_objective_on_a_mean_sees_beyond_its_limit(mean: float, expected: Outcome) -> None:
    """A limit far from where the candidate began is still seen to be kept, and to be broken."""
    of = policy(gate("latency_ms", limit=2000.0))
    healthy = [sealed(k, Bucket(), numbers("latency_ms", normal(457, 100, 100))) for k in range(5)]
    later = [sealed(5 + k, Bucket(), numbers("latency_ms", normal(mean, mean / 5, 100))) for k in range(40)]

    assert outcome(of, [*healthy, *later]) is expected


@pytest.mark.clause("VE-31")
@pytest.mark.parametrize("value", [0.9, 0.8, 0.75, 1.0, 0.333])
def test_a_score_exactly_at_its_limit_is_not_rolled_back(value: float) -> None:
    """The limit itself is kept, wherever it lies in its bin."""
    of = policy(gate("scores.a", limit=value))
    buckets = [sealed(k, Bucket(), numbers("scores.a", (value,) * 100)) for k in range(50)]

    assert outcome(of, buckets) is not Outcome.REGRESSED


@pytest.mark.clause("VE-31")
def test_equal_means_of_unlike_values_are_equal() -> None:
    """Half .8 and half 1.0 has the mean of a constant .9, though their bins' middles have not."""
    of = policy(gate("scores.a"), steps=ONE_STEP)
    buckets = [sealed(k, numbers("scores.a", (0.8, 1.0) * 50), numbers("scores.a", (0.9,) * 100)) for k in range(60)]

    state, _ = walked(of, buckets)

    assert state.gates[0].peaks[0] < 1.0


@pytest.mark.clause("VE-32")
@pytest.mark.parametrize("value", [1005.0, 1015.0, 1018.9])
def test_a_quantile_just_beyond_its_limit_is_not_proven(value: float) -> None:
    """Runs in the limit's own bin are not taken for runs within it."""
    of = policy(gate("latency_ms:p95", limit=1000.0, margin=Margin()), steps=ONE_STEP, promote=Promote.PROVEN)
    buckets = [sealed(k, Bucket(), numbers("latency_ms", (value,) * 100)) for k in range(20)]

    assert outcome(of, buckets) is not Outcome.PROVEN


@pytest.mark.clause("VE-33")
@pytest.mark.parametrize("ramp", [(1.0, 5.0, 25.0, 100.0), (1.0, 1.5, 25.0, 100.0)])
def test_a_wide_harm_budget_does_not_stand_in_for_clean(ramp: tuple[float, ...]) -> None:
    """What may be harmed at 5 % of traffic is not what `promote: clean` excludes."""
    of = policy(gate(margin=Margin(0.0, 0.02)), steps=weights(*ramp))
    buckets = [sealed(k, arm(990, 10), arm(40, 2)) for k in range(2)]

    proven, clean = (outcome(replace(of, promote=promote), buckets) for promote in (Promote.PROVEN, Promote.CLEAN))

    assert (proven, clean) == (Outcome.PROVEN, Outcome.INSUFFICIENT)


@pytest.mark.clause("VE-34")
def test_bursts_are_not_taken_for_single_events() -> None:
    """Equal releases whose runs have some hundred tokens, more or less, are not called different."""
    of = policy(gate("output_tokens:rate"))
    called = 0
    for seed in range(40):
        draws = np.random.default_rng(seed)
        buckets = [
            sealed(
                k,
                *(
                    numbers("output_tokens", tuple(np.round(draws.lognormal(5, 0.8, size)).tolist()))
                    for size in (95, 5)
                ),
            )
            for k in range(20)
        ]
        called += outcome(of, buckets) is Outcome.REGRESSED

    assert called <= 5


@pytest.mark.clause("VE-34")
def test_counts_that_come_singly_can_be_clean() -> None:
    """An evaluator's count of events, as often in both releases, is clean after a while."""
    draws = np.random.default_rng(1)
    of = policy(gate("scores.retries:rate"))
    buckets = [
        sealed(
            k,
            *(numbers("scores.retries", tuple(draws.poisson(0.4, size).astype(float).tolist())) for size in (380, 20)),
        )
        for k in range(120)
    ]

    assert outcome(of, buckets) is Outcome.CLEAN


@pytest.mark.clause("ST-41", "VE-35")
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("error_rate", {"margin": Margin(0.0, 0.05)}),
        ("pass_rate", {"margin": Margin(0.05, 0.0)}),
        ("scores.g", {"margin": Margin(0.05, 0.0)}),
        ("scores.g", {"margin": Margin(0.1, 0.0)}),
        ("scores.g", {"margin": Margin(0.0, 0.05), "limit": 0.7}),
        ("scores.h:rate", {"margin": Margin(0.05, 0.0)}),
    ],
)
def test_a_budget_that_is_used_up_exactly_is_settled(name: str, fields: dict[str, Any]) -> None:
    """Before a step of 5 %, five percent of all traffic is everything that the candidate can harm."""
    of = policy(gate(name, **fields), steps=weights(1, 5, 100), promote=Promote.PROVEN)

    process = next(each for each in plan(of).gates[0].processes if each.role is Role.PROVEN and each.share == 0.05)

    assert process.is_settled


@pytest.mark.clause("VE-35")
@pytest.mark.parametrize(
    ("of", "values"),
    [
        (gate("scores.g", margin=Margin(0.0, 0.05)), (0.8, 0.9, 0.85, 0.7)),
        (gate("latency_ms", limit=800.0, margin=Margin(0.1, 0.0)), (400.0, 500.0, 300.0, 450.0)),
    ],
    ids=["a score", "a limit on a mean"],
)
def test_a_budget_just_within_reach_can_be_proven(of: Gate, values: tuple[float, ...]) -> None:
    """An equal candidate is proven at a narrow step after a few buckets."""
    rules = policy(of, steps=weights(1, 5.5, 100), promote=Promote.PROVEN)
    field = of.metric.field
    buckets = [sealed(k, numbers(field, values * 25), numbers(field, values * 25)) for k in range(40)]

    assert outcome(rules, buckets) is Outcome.PROVEN


@pytest.mark.clause("VE-36")
def test_an_offline_cohort_is_judged_once() -> None:
    """More evaluations after the cohort is complete do not make a second look, nor do fewer make a first."""
    offline = Step(kind=StepKind.OFFLINE, weight=0, min_runs=300)
    of = policy(gate(detect=None), steps=(offline, *weights(5)))
    equal, worse = sealed(0, arm(300, 15), arm(300, 15)), sealed(1, arm(300, 15), arm(300, 90))

    early = outcome(of, [sealed(0, arm(300, 15), arm(299, 90))])
    after = outcome(of, [equal, worse])

    assert (early, after) == (Outcome.INSUFFICIENT, Outcome.CLEAN)
    assert of.offline_alpha + of.sequential_alpha == pytest.approx(of.alpha)


@pytest.mark.clause("VE-04")
def test_quiet_minutes_of_the_baseline_are_not_held_against_a_busy_one() -> None:
    """A candidate that runs only when everything fails more often is compared with the baseline of that time."""
    of = policy(steps=weights(5))
    buckets = []
    for number in range(300):
        busy = number % 10 == 9
        buckets.append(sealed(number, arm(95, 19 if busy else 5), arm(5, 1) if busy else Bucket()))

    state, _ = walked(of, buckets)

    assert state.gates[0].peaks[0] < 2.0


@pytest.mark.clause("VE-25")
def test_an_alarm_survives_a_change_of_step() -> None:
    """A split that was off is not forgotten because the rollout moved."""
    of = policy()
    skewed = replace(sealed(0, arm(500, 5), arm(500, 5)), assignment=Assignment(0.05, 5000, 5000))
    state, _ = walked(of, [skewed, sealed(1, arm(300), arm(100), step=1)])

    assert ratio_alarm(state) is not None


@pytest.mark.clause("VE-09")
def test_a_metric_whose_higher_values_are_worse_may_be_a_score() -> None:
    """An owner's direction turns everything: a toxicity score that rises is harm."""
    toxicity = gate("scores.t")
    of = policy(replace(toxicity, metric=replace(toxicity.metric, worse=Worse.HIGHER)), steps=ONE_STEP)
    buckets = [sealed(k, numbers("scores.t", (0.1, 0.2) * 50), numbers("scores.t", (0.3, 0.4) * 50)) for k in range(12)]

    assert outcome(of, buckets) is Outcome.REGRESSED
