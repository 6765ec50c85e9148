# SPDX-License-Identifier: Apache-2.0
"""Both arms' tallies come in; outcome and reason of each kind of gate go out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.finding import Outcome, Reading
from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.gate import Gate, Margin, Method
from lockgate.core.verdict.estimate import METHODS, reading
from lockgate.core.verdict.fixed import Levels
from lockgate.wiring import read_policy_file
from tests.core.verdict.arms import gate, look, numbers, shares

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
NOBODY = Bucket()
RNG = np.random.default_rng(1)
SPREAD = RNG.lognormal(5.0, 0.4, 2000)
COUNTS = RNG.poisson(0.2, 3000).astype(float)

EVERY_KIND: dict[str, tuple[Gate, Bucket, Bucket, str]] = {
    "failures doubled": (
        gate("error_rate"),
        shares("error_rate", 1000, 50),
        shares("error_rate", 1000, 98),
        "regressed",
    ),
    "failures alike": (gate("error_rate"), shares("error_rate", 3000, 150), shares("error_rate", 3000, 152), "clean"),
    "fewer runs pass": (gate("pass_rate"), shares("pass_rate", 1000, 50), shares("pass_rate", 1000, 98), "regressed"),
    "as many pass": (
        gate("pass_rate", margin=Margin(0.0, 0.1)),
        shares("pass_rate", 1000, 50),
        shares("pass_rate", 1000, 52),
        "proven",
    ),
    "slower mean": (
        gate("latency_ms"),
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD * 1.2),
        "regressed",
    ),
    "slower mean, allowed": (
        gate("latency_ms", tolerance=Margin(0.3)),
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD * 1.2),
        "clean",
    ),
    "slower tail": (
        gate("latency_ms:p95"),
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD * 1.3),
        "regressed",
    ),
    "slower tail, resampled": (
        gate("latency_ms:p95", method=Method.BOOTSTRAP),
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD * 1.3),
        "regressed",
    ),
    "slower mean, resampled": (
        gate("latency_ms", method=Method.BOOTSTRAP),
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD * 1.3),
        "regressed",
    ),
    "same tail": (gate("latency_ms:p95"), numbers("latency_ms", SPREAD), numbers("latency_ms", SPREAD), "clean"),
    "lower score": (
        gate("scores.helpful"),
        numbers("scores.helpful", SPREAD / 1e3),
        numbers("scores.helpful", SPREAD / 1e3 - 0.05),
        "regressed",
    ),
    "more calls a run": (
        gate("input_tokens:rate"),
        numbers("input_tokens", COUNTS),
        numbers("input_tokens", np.concatenate([COUNTS, COUNTS]) + np.repeat([0.0, 1.0], 3000)),
        "regressed",
    ),
    "as many calls a run": (
        gate("input_tokens:rate"),
        numbers("input_tokens", COUNTS),
        numbers("input_tokens", COUNTS),
        "clean",
    ),
    "fewer yes": (
        gate("scores.safe:pass"),
        shares("scores.safe", 500, 10),
        shares("scores.safe", 500, 40),
        "regressed",
    ),
}


@pytest.mark.clause("CO-01", "CO-03")
@pytest.mark.parametrize("words", EVERY_KIND)
def test_every_kind_of_metric_is_judged_in_its_own_direction(words: str) -> None:
    """Shares, means, quantiles and rates regress when they are worse, and are shown as they are named."""
    of, baseline, candidate, outcome = EVERY_KIND[words]

    finding = look(of, baseline, candidate)

    assert finding.outcome == outcome
    assert finding.difference is not None
    assert finding.difference.method in METHODS
    assert (finding.candidate.value or 0.0) - (finding.baseline.value or 0.0) == pytest.approx(
        finding.difference.estimate, rel=0.02, abs=1e-9
    )


@pytest.mark.clause("CO-10")
@pytest.mark.parametrize("words", [words for words in EVERY_KIND if "resampled" not in words])
def test_exchanging_the_arms_mirrors_the_difference(words: str) -> None:
    """Candidate minus baseline is the negative of baseline minus candidate, limits and all."""
    of, baseline, candidate, _ = EVERY_KIND[words]

    forth, back = look(of, baseline, candidate).difference, look(of, candidate, baseline).difference

    assert forth is not None
    assert back is not None
    assert (-back.estimate, -back.high, -back.low) == pytest.approx((forth.estimate, forth.low, forth.high), rel=1e-9)


@pytest.mark.clause("CO-10")
@settings(max_examples=20)
@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_runs_does_not_matter(values: list[float], shuffler: Random) -> None:
    """The same runs in another order give the same finding, to the last bit."""
    of = gate("latency_ms:p95", min_runs=1)
    mixed = list(values)
    shuffler.shuffle(mixed)

    findings = [look(of, numbers("latency_ms", part), numbers("latency_ms", part[::-1])) for part in (values, mixed)]

    assert findings[0] == findings[1]


@pytest.mark.clause("CO-04")
@pytest.mark.parametrize(("n_baseline", "n_candidate"), [(29, 500), (500, 29)])
def test_fewer_than_min_runs_never_regress(n_baseline: int, n_candidate: int) -> None:
    """However bad they look: the reason counts what is missing."""
    finding = look(
        gate("error_rate"), shares("error_rate", n_baseline, 0), shares("error_rate", n_candidate, n_candidate)
    )

    assert finding.outcome is Outcome.INSUFFICIENT
    assert finding.reason.endswith("of the 30 that error_rate needs; 1 more before it says anything")


@pytest.mark.clause("CO-05")
def test_a_metric_that_no_run_carries_is_unavailable() -> None:
    """No data never reads as good data, and the reason says where it is missing."""
    finding = look(gate("cost"), Bucket(400), numbers("cost", SPREAD))

    assert finding.outcome is Outcome.UNAVAILABLE
    assert finding.difference is None
    assert finding.baseline == Reading(None, 0)
    assert finding.reason == "none of the 400 baseline runs carries cost"


@pytest.mark.clause("CO-06")
def test_without_detect_clean_says_that_it_promises_nothing() -> None:
    """Not regressed and min_runs reached is clean, and no more."""
    finding = look(gate("error_rate", detect=None), shares("error_rate", 30, 1), shares("error_rate", 30, 2))

    assert finding.outcome is Outcome.CLEAN
    assert "promises nothing" in finding.reason


@pytest.mark.clause("CO-01", "CO-02")
def test_what_is_shown_is_95_percent_and_what_decides_shares_alpha() -> None:
    """A difference that 95 % excludes, and a fifth of alpha does not, is told apart in the reason."""
    of = gate("error_rate", share=0.2)
    arms = shares("error_rate", 1000, 50), shares("error_rate", 1000, 73)

    shared, alone = look(of, *arms), look(of, *arms, levels=Levels(per_gate=0.95))

    assert (shared.outcome, alone.outcome) == (Outcome.INSUFFICIENT, Outcome.REGRESSED)
    assert shared.difference == alone.difference
    assert shared.difference is not None
    assert shared.difference.level == 0.95
    assert "not at the 99 % that its share of alpha asks" in shared.reason


@pytest.mark.clause("CO-11")
@pytest.mark.parametrize(
    ("of", "candidate", "outcome", "difference"),
    [
        (gate("error_rate", limit=0.01), shares("error_rate", 1000, 30), "regressed", 0.02),
        (gate("error_rate", limit=0.01, margin=Margin()), shares("error_rate", 1000, 2), "proven", -0.008),
        (gate("pass_rate", limit=0.99), shares("pass_rate", 1000, 30), "regressed", -0.02),
        (gate("pass_rate", limit=0.9, margin=Margin()), shares("pass_rate", 1000, 30), "proven", 0.07),
        (gate("latency_ms:p95", limit=200.0), numbers("latency_ms", SPREAD), "regressed", None),
        (gate("latency_ms:p95", limit=400.0), numbers("latency_ms", SPREAD), "clean", None),
        (gate("latency_ms", limit=100.0), numbers("latency_ms", SPREAD), "regressed", None),
        (gate("latency_ms", limit=100.0, method=Method.BOOTSTRAP), numbers("latency_ms", SPREAD), "regressed", None),
        (gate("scores.helpful", limit=0.9), numbers("scores.helpful", SPREAD / 1e3), "regressed", None),
        (gate("input_tokens:rate", limit=0.1), numbers("input_tokens", COUNTS), "regressed", None),
        (gate("input_tokens:rate", limit=0.2), numbers("input_tokens", COUNTS), "clean", None),
    ],
)
def test_an_objective_needs_no_baseline(of: Gate, candidate: Bucket, outcome: str, difference: float | None) -> None:
    """It compares with its limit, and so does the difference that is shown."""
    finding = look(of, NOBODY, candidate)

    assert finding.outcome == outcome
    assert finding.is_objective
    assert finding.difference is not None
    assert difference is None or finding.difference.estimate == pytest.approx(difference)
    assert "limit of" in finding.reason


@pytest.mark.clause("CO-01")
def test_a_slice_is_judged_by_its_own_runs() -> None:
    """A gate with a slice says whose runs it looked at."""
    of = gate("error_rate", slice=(("intent", "medical"),))

    finding = look(of, shares("error_rate", 500, 5), shares("error_rate", 500, 40))

    assert finding.outcome is Outcome.REGRESSED
    assert finding.reason.startswith("error_rate [intent=medical] rose from 1.0 % to 8.0 %: +7.0 pp")


@pytest.mark.clause("CO-01")
def test_pairs_are_judged_by_net_losses_and_the_sign_test() -> None:
    """68 lost against 32 won is worse; each arm's value is how often it was the worse one."""
    finding = look(gate("scores.helpful:paired"), NOBODY, NOBODY, Pairs(68, 700, 32))

    assert finding.outcome is Outcome.REGRESSED
    assert (finding.baseline, finding.candidate) == (Reading(32 / 800, 800), Reading(68 / 800, 800))


@pytest.mark.clause("CO-03")
def test_more_runs_are_asked_for_in_a_number_that_would_do() -> None:
    """With as many runs more as the reason says, and the same rates, the gate speaks."""
    of = gate("error_rate")
    thin = look(of, shares("error_rate", 200, 10), shares("error_rate", 200, 12))

    more = look(of, shares("error_rate", 200 + 1000, 60), shares("error_rate", 200 + 1000, 72))

    assert thin.outcome is Outcome.INSUFFICIENT
    assert "more runs per release would settle it" in thin.reason
    asked = int(thin.reason.split("about ")[1].split(" more")[0].replace(",", ""))
    assert 0 < asked <= 1000
    assert more.outcome is Outcome.CLEAN


@pytest.mark.clause("CO-01")
@pytest.mark.parametrize("worse", list(Worse))
def test_an_owner_may_turn_a_share_around(worse: Worse) -> None:
    """Whichever direction is worse, the value shown is that of the metric as it is named."""
    of = gate("error_rate")
    turned = replace(of, metric=replace(of.metric, worse=worse))

    baseline, candidate = reading(turned, shares("error_rate", 100, 10), shares("error_rate", 100, 20))

    assert turned.metric.kind is Kind.BINARY
    assert (baseline, candidate) == (Reading(0.1, 100), Reading(0.2, 100))


GOLDEN_LOOKS = {
    "p99 is 250 ms worse": (
        "p99_slower_by_100_ms.yaml",
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD + 250.0),
        True,
    ),
    "p99 is 40 ms worse": (
        "p99_slower_by_100_ms.yaml",
        numbers("latency_ms", SPREAD),
        numbers("latency_ms", SPREAD + 40.0),
        False,
    ),
    "errors tripled": (
        "error_rate_doubles.yaml",
        shares("error_rate", 5000, 100),
        shares("error_rate", 5000, 300),
        True,
    ),
    "errors rose by half": (
        "error_rate_doubles.yaml",
        shares("error_rate", 5000, 100),
        shares("error_rate", 5000, 150),
        False,
    ),
    "2 % errors": ("errors_at_most_1_percent.yaml", NOBODY, shares("error_rate", 3000, 60), True),
    "0.5 % errors": ("errors_at_most_1_percent.yaml", NOBODY, shares("error_rate", 3000, 15), False),
}


@pytest.mark.clause("CO-01", "CO-11")
@pytest.mark.parametrize("words", GOLDEN_LOOKS)
def test_golden_policies_fire_and_do_not_fire(words: str) -> None:
    """What owners ask for in a sentence happens at one look, and only then."""
    name, baseline, candidate, fires = GOLDEN_LOOKS[words]
    (of,) = declare(read_policy_file(str(GOLDEN / name))).gates

    finding = look(of, baseline, candidate)

    assert (finding.outcome is Outcome.REGRESSED) == fires
