# SPDX-License-Identifier: Apache-2.0
"""Steps at which little could be compared come in; no gate may call them good: docs/spec.md, Verdicts."""

from __future__ import annotations

from typing import Any

import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.evidence.state import open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.finding import Evidence, Finding, Outcome
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.policy import Policy, Promote
from lockgate.core.rollout import Status
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.sequential import Shown, displayed
from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.report.remedy import remedies
from lockgate.testing.world import Law
from tests.spec.line import APP, EQUAL, batch, created, predicate, receipts, trial_of, world
from tests.spec.ramp import arm, gate, policy, probes, sealed, weights

GOOD = [sealed(number, arm(380, 19), arm(20, 1)) for number in range(60)]


def only(of: Policy, *buckets: SealedBucket, step: int = 1) -> Finding:
    """Return the first gate's finding, as people see it."""
    planned, totals = plan(of), Totals()
    state = open_state(planned)
    for bucket in buckets:
        state, totals = fold(state, bucket, planned), add(totals, bucket, of)
    return displayed(judge(state, totals, planned, step), Shown(totals.at_step, totals), planned).findings[0]


def counted(found: Finding) -> tuple[int, int | None]:
    """Return how many runs of each release a gate says that it judged at the step."""
    assert isinstance(found.evidence, Evidence)
    return found.evidence.judged_runs, found.evidence.judged_baseline_runs


@pytest.mark.clause("VE-202")
@pytest.mark.parametrize(
    ("baseline", "candidate", "outcome"),
    [
        (arm(1), arm(400, 200), Outcome.INSUFFICIENT),
        (arm(29), arm(400, 20), Outcome.INSUFFICIENT),
        (arm(400, 20), arm(29, 1), Outcome.INSUFFICIENT),
        (arm(30, 1), arm(400, 20), Outcome.CLEAN),
        (arm(400, 20), arm(30, 1), Outcome.CLEAN),
    ],
)
def test_a_gate_is_not_clean_at_a_step_at_which_it_judged_too_few_runs(
    baseline: Bucket, candidate: Bucket, outcome: Outcome
) -> None:
    """What was excluded at the steps before does not stand for a step at which nothing could be compared."""
    alone = sealed(100, Bucket(), arm(500, 25), step=1)

    found = only(policy(), *GOOD, sealed(99, baseline, candidate, step=1), alone)

    assert (found.outcome, counted(found)) == (outcome, (candidate.runs, baseline.runs))


@pytest.mark.clause("VE-202")
def test_the_reason_says_how_little_was_compared() -> None:
    """A person sees which release's runs are too few, beside how the value went."""
    found = only(policy(), *GOOD, sealed(99, arm(1), arm(400, 20), step=1))

    assert found.reason.endswith(
        "; only 400 candidate runs with 1 baseline run could be compared at this step, 30 of each are needed"
    )


@pytest.mark.clause("VE-202")
def test_runs_that_never_met_are_said_to_be_so() -> None:
    """Enough runs of both releases, hours apart, are nothing to compare."""
    apart = [sealed(99, arm(400, 20), Bucket(), step=1), sealed(100, Bucket(), arm(400, 20), step=1, time=10**9)]

    found = only(policy(), *GOOD, *apart)

    assert found.outcome is Outcome.INSUFFICIENT
    assert "nothing could be compared" in found.reason


@pytest.mark.clause("VE-202")
@pytest.mark.parametrize("fields", [{"detect": None}, {"limit": 0.2}], ids=["without detect", "an objective"])
def test_every_kind_of_gate_asks_for_its_runs(fields: dict[str, Any]) -> None:
    """Also a gate that promises nothing, and one that needs no baseline."""
    of = policy(gate(**fields, min_runs=200))
    few, enough = (sealed(99, arm(400, 20), arm(runs, runs // 20), step=1) for runs in (199, 200))

    assert [only(of, *GOOD, each).outcome for each in (few, enough)] == [Outcome.INSUFFICIENT, Outcome.CLEAN]


@pytest.mark.clause("VE-202")
def test_pairs_are_counted_as_pairs() -> None:
    """A paired gate reads no runs, so its pairs are what it needs enough of."""
    of = policy(gate("pass_rate:paired"), steps=weights(50, 100))
    few, enough = ([probes(number, 0, 1, 0) for number in range(pairs)] for pairs in (29, 400))

    said = [only(of, *buckets, step=0) for buckets in (few, enough)]

    assert [(found.outcome, counted(found)) for found in said] == [
        (Outcome.INSUFFICIENT, (29, None)),
        (Outcome.CLEAN, (400, None)),
    ]


@pytest.mark.clause("VE-202")
def test_proof_of_earlier_steps_needs_runs_of_this_one_too() -> None:
    """Under `promote: proven` as under `promote: clean`."""
    of = policy(gate(margin=Margin(0.0, 0.9)), promote=Promote.PROVEN)

    few, enough = (only(of, *GOOD, sealed(99, arm(400, 20), arm(n, 1), step=1)).outcome for n in (29, 30))

    assert (few, enough) == (Outcome.INSUFFICIENT, Outcome.PROVEN)


def slow(runs: int, carrying: int) -> Bucket:
    """Return runs of which some carry a latency."""
    return arm(runs, 0, tuple(100.0 + each % 50 for each in range(carrying)))


@pytest.mark.clause("VE-203")
@pytest.mark.parametrize(
    ("carrying", "outcome"), [(40, Outcome.UNAVAILABLE), (199, Outcome.UNAVAILABLE), (200, Outcome.CLEAN)]
)
def test_a_metric_that_the_candidate_withholds_is_unavailable(carrying: int, outcome: Outcome) -> None:
    """Slow requests that end in a time-out and carry no latency are not good latencies."""
    of = policy(gate("latency_ms:p95"))
    good = [sealed(number, slow(400, 400), slow(100, 100)) for number in range(30)]

    found = only(of, *good, sealed(99, slow(400, 400), slow(400, carrying), step=1))

    assert found.outcome is outcome
    assert (f"only {carrying} of 400 candidate runs" in found.reason) == (outcome is Outcome.UNAVAILABLE)


@pytest.mark.clause("VE-203")
def test_a_metric_that_few_runs_of_both_releases_carry_is_judged() -> None:
    """Evaluations of every tenth run are as good as they are many, and chance alone withholds nothing."""
    of = policy(gate("latency_ms:p95"))
    good = [sealed(number, slow(400, 40), slow(400, 40)) for number in range(40)]

    few = only(of, *good, sealed(99, slow(400, 40), slow(100, 1), step=1))
    enough = only(of, *good, sealed(99, slow(400, 40), slow(400, 36), step=1))

    assert (few.outcome, enough.outcome) == (Outcome.INSUFFICIENT, Outcome.CLEAN)


@pytest.mark.clause("LI-501")
def test_a_score_of_as_many_runs_of_each_release_is_told_how_to_be_one_of_as_large_a_share() -> None:
    """At 75 % they are a third as often the candidate's; who waits is told that waiting ends nothing."""
    here = world()
    name = created(here, policy={"gates": ["error_rate", "scores.g"], "steps": [75, 100]}).rollout.id
    for minute in range(5):
        scored = [
            {"release": each, "scores": {"g": 0.8 + minute / 100}} for each in ("v36", "abc123") for _ in range(20)
        ]
        ingest(batch(*scored), here.house)
        here.walk(name, EQUAL, runs=1_000, minutes=1)

    said = explain(name, here.house)

    (told,) = [each for each in remedies(said, here.clock.now()) if each.startswith("scores.g")]
    assert "score the same share of each release and not the same number" in told
    assert f"`lockgate promote --id {name} --step 0 --revision 1" in told


@pytest.mark.clause("VE-202")
def test_a_receipt_binds_how_many_runs_were_judged() -> None:
    """Whoever reads a promotion sees what it rests on at its step."""
    here = world()
    rollout = created(here).rollout

    here.walk(rollout.id, EQUAL, runs=1000, minutes=60)

    assert trial_of(here, rollout.id).rollout.status is Status.PROMOTED
    stated = [predicate(each) for each in receipts(here.house, rollout.id) if each.cause == "satisfied"]
    evidence = [each["verdict"]["findings"][0]["evidence"] for each in stated]
    assert all(min(each["judgedRuns"], each["judgedBaselineRuns"]) >= 30 for each in evidence)
    assert len(evidence) == 3


@pytest.mark.clause("VE-202")
def test_one_baseline_run_at_a_step_does_not_let_a_failing_candidate_on() -> None:
    """A rollout whose baseline falls silent stays where it is, however long."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, EQUAL, runs=1000, minutes=8)
    step = trial_of(here, rollout.id).rollout.step
    failing = {"v36": EQUAL["v36"], "abc123": Law(error_rate=0.5)}

    here.serve_both(APP, {"abc123": 60}, failing, minutes=1)
    here.serve_both(APP, {"v36": 1, "abc123": 400}, failing, minutes=1)
    for _ in range(30):
        here.serve_both(APP, {"abc123": 400}, failing, minutes=1)
        tick(rollout.id, here.house)

    ended = trial_of(here, rollout.id).rollout
    assert (ended.status, ended.step, step) == (Status.ACTIVE, step, 1)
