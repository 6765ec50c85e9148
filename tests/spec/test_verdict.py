# SPDX-License-Identifier: Apache-2.0
"""What gates say of their evidence: docs/spec.md, Verdicts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.sealed import Assignment, SealedBucket
from lockgate.core.evidence.state import clear_ratio_alarm, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.finding import Finding, Outcome, worst
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.stats.sequential.wealth import threshold
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.sequential import Shown, displayed, ratio_alarm
from lockgate.core.verdict.verdict import Verdict
from tests.spec.ramp import arm, gate, policy, sealed, weights


def judged(of: Policy, *buckets: SealedBucket, step: int = 0) -> Verdict:
    """Return the verdict at a step after some buckets."""
    planned, totals = plan(of), Totals()
    state = open_state(planned)
    for bucket in buckets:
        state, totals = fold(state, bucket, planned), add(totals, bucket, of)
    return judge(state, totals, planned, step)


def only(of: Policy, *buckets: SealedBucket, step: int = 0) -> Finding:
    """Return the first gate's finding."""
    return judged(of, *buckets, step=step).findings[0]


def many(count: int, baseline: Bucket, candidate: Bucket, *, step: int = 0) -> list[SealedBucket]:
    """Return equal buckets."""
    return [sealed(number, baseline, candidate, step=step) for number in range(count)]


EQUAL = (arm(380, 19), arm(20, 1))
WORSE = (arm(380, 19), arm(20, 4))


@pytest.mark.clause("VE-20")
def test_evidence_crosses_at_the_gates_part_of_alpha() -> None:
    """A gate regresses when its evidence of harm reaches ln(1 / (alpha x share)), and not before."""
    of = policy(gate(share=0.25))
    buckets = many(40, *WORSE)
    findings = [only(of, *buckets[:end]) for end in range(1, 41)]

    crossed = [each.evidence is not None and each.evidence.harm >= threshold(0.05, 0.25) for each in findings]

    assert [each.outcome is Outcome.REGRESSED for each in findings] == crossed
    assert (crossed[0], crossed[-1]) == (False, True)
    assert threshold(0.05, 0.25) == pytest.approx(4.382026635)


@pytest.mark.clause("VE-20")
def test_a_regression_stays() -> None:
    """Later good runs do not take back that a regression was shown."""
    of = policy()
    good = [replace(each, number=100 + each.number) for each in many(60, arm(380, 19), arm(20, 0))]

    assert only(of, *many(40, *WORSE), *good).outcome is Outcome.REGRESSED


@pytest.mark.clause("VE-21")
def test_clean_and_proven_exclude_their_margins() -> None:
    """The same equal candidate is first not known, then clean, then proven."""
    of = policy(gate(margin=Margin(0.0, 0.01)), steps=weights(5, 100))
    buckets = many(300, *EQUAL)

    outcomes = [only(of, *buckets[:end]).outcome for end in (1, 40, 300)]

    assert outcomes == [Outcome.INSUFFICIENT, Outcome.CLEAN, Outcome.PROVEN]


@pytest.mark.clause("VE-22")
def test_without_detect_clean_is_only_the_absence_of_harm() -> None:
    """The seed's rule asks for min_runs, and its finding says that it promises nothing."""
    of = policy(gate(detect=None))

    thin, enough = only(of, *many(1, *EQUAL)), only(of, *many(2, *EQUAL))

    assert (thin.outcome, enough.outcome) == (Outcome.INSUFFICIENT, Outcome.CLEAN)
    assert "promises nothing" in enough.reason


@pytest.mark.clause("VE-23")
@pytest.mark.parametrize(
    ("words", "step", "outcome"),
    [
        ("all of the traffic", Step(kind=StepKind.WEIGHT, weight=100, min_runs=1, soak_s=9), Outcome.NOT_APPLICABLE),
        ("a switch", Step(kind=StepKind.SWITCH, weight=100, min_runs=1), Outcome.NOT_APPLICABLE),
        ("a whole ring", Step(kind=StepKind.RING, weight=0, ring="internal", min_runs=1), Outcome.NOT_APPLICABLE),
        (
            "a ring with a holdback",
            Step(kind=StepKind.RING, weight=0, ring="x", min_runs=1, holdback=10),
            Outcome.CLEAN,
        ),
        ("a switch with a holdback", Step(kind=StepKind.SWITCH, weight=100, min_runs=1, holdback=5), Outcome.CLEAN),
        ("mirrored inputs", Step(kind=StepKind.MIRROR, weight=0, min_runs=1), Outcome.CLEAN),
    ],
)
def test_comparisons_need_a_concurrent_baseline(words: str, step: Step, outcome: Outcome) -> None:
    """Where no baseline runs beside the candidate a comparison does not apply, whatever came before."""
    of = policy(steps=(step,))

    assert only(of, *many(60, *EQUAL)).outcome is outcome, words


@pytest.mark.clause("VE-23")
def test_what_users_did_is_not_known_of_mirrored_answers() -> None:
    """A gate on user outcomes does not apply while no user meets the candidate."""
    of = policy(gate(user_outcome=True), steps=(Step(kind=StepKind.MIRROR, weight=0, min_runs=1), *weights(5)))

    assert only(of, *many(60, *EQUAL)).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.clause("VE-24")
def test_a_metric_that_went_silent_is_unavailable() -> None:
    """Runs enough, none of which carries the metric, is not good news."""
    of = policy(gate("latency_ms:p95"))
    silent = many(60, arm(380, 19, (100.0,) * 380), arm(20, 1))

    found = only(of, *silent)

    assert (found.outcome, found.reason) == (
        Outcome.UNAVAILABLE,
        "none of 1,200 candidate runs at this step carries latency_ms:p95",
    )


@pytest.mark.clause("VE-24")
def test_no_runs_at_all_are_insufficient() -> None:
    """Before the first run nothing is known."""
    assert judged(policy()).outcome is Outcome.INSUFFICIENT


@pytest.mark.clause("VE-12")
def test_a_margin_that_no_rate_can_exceed_is_proven_at_once() -> None:
    """At 1 % of traffic a budget of 2 pp of all traffic cannot be broken: harm there is at most 1 pp of it."""
    mirror = Step(kind=StepKind.MIRROR, weight=0, min_runs=1)
    of = policy(gate(margin=Margin(0.0, 0.02)), steps=(mirror, *weights(1, 100)), promote=Promote.PROVEN)

    assert only(of, *many(2, *EQUAL)).outcome is Outcome.PROVEN


@pytest.mark.clause("VE-12")
def test_proof_for_a_narrow_step_is_not_proof_for_a_wide_one() -> None:
    """The same evidence proves the way to 5 % long before it proves the way to 100 %."""
    of = policy(gate(margin=Margin(0.0, 0.01)), steps=weights(1, 5, 100))
    buckets = many(20, *EQUAL)

    outcomes = [only(of, *buckets, step=step).outcome for step in (0, 1)]

    assert outcomes == [Outcome.PROVEN, Outcome.INSUFFICIENT]


@pytest.mark.clause("VE-25")
def test_a_skewed_split_alarms_until_it_is_cleared() -> None:
    """The sample-ratio alarm stays when later units even the split out, and an operator's clearing ends it."""
    planned = plan(policy())
    state = open_state(planned)
    for number, (candidate, baseline) in enumerate([(1000, 9000)] * 3 + [(0, 60_000)]):
        bucket = replace(sealed(number, *EQUAL), assignment=Assignment(0.05, candidate, baseline))
        state = fold(state, bucket, planned)

    alarm, cleared = ratio_alarm(state), ratio_alarm(clear_ratio_alarm(state))

    assert alarm is not None
    assert alarm.startswith("the split is off")
    assert cleared is None


@pytest.mark.clause("VE-26")
def test_fixed_inference_is_one_interval_on_all_runs_so_far() -> None:
    """The seed's rule pools everything and looks again, and the verdict says which inference it was."""
    of = policy(gate(detect=None), inference=Inference.FIXED)

    said = judged(of, *many(5, arm(300, 15), arm(100, 15)))

    assert (said.inference, said.outcome) == (Inference.FIXED, Outcome.REGRESSED)


@pytest.mark.clause("VE-26")
def test_an_offline_step_is_one_look_at_its_cohort() -> None:
    """Evaluations in files are judged once, by fixed-sample intervals, beside the sequential steps."""
    of = policy(gate(detect=None), steps=(Step(kind=StepKind.OFFLINE, weight=0, min_runs=1), *weights(5)))

    assert judged(of, *many(1, arm(300, 15), arm(300, 60))).outcome is Outcome.REGRESSED


@pytest.mark.clause("VE-26")
def test_fixed_inference_keeps_the_harm_budget() -> None:
    """Also at one look, proof for a narrow step asks for less than proof for a wide one."""
    of = policy(gate(margin=Margin(0.0, 0.01)), steps=weights(5, 10, 100), inference=Inference.FIXED)
    buckets = many(1, arm(3000, 150), arm(1000, 50))

    outcomes = [only(of, *buckets, step=step).outcome for step in (0, 1)]

    assert outcomes == [Outcome.PROVEN, Outcome.CLEAN]


@pytest.mark.clause("VE-27")
def test_the_verdict_is_the_worst_finding_that_counts() -> None:
    """Regressed before unavailable before insufficient before clean before proven; not applicable does not count."""
    order = [Outcome.REGRESSED, Outcome.UNAVAILABLE, Outcome.INSUFFICIENT, Outcome.CLEAN, Outcome.PROVEN]

    found = {(a, b): worst((a, b)) for a, b in product(order, order)}

    assert found == {(a, b): order[min(order.index(a), order.index(b))] for a, b in product(order, order)}
    assert worst((Outcome.NOT_APPLICABLE, Outcome.PROVEN)) is Outcome.PROVEN
    assert worst(()) is Outcome.NOT_APPLICABLE


@pytest.mark.clause("VE-28")
def test_intervals_are_for_people_and_change_no_outcome() -> None:
    """What is displayed beside a verdict adds numbers and words, and nothing that a decision reads."""
    of, buckets, totals = policy(), many(40, *WORSE), Totals()
    for bucket in buckets:
        totals = add(totals, bucket, of)

    bare = judged(of, *buckets)
    shown = displayed(bare, Shown(totals.at_step, totals), plan(of))

    assert [each.outcome for each in shown.findings] == [each.outcome for each in bare.findings]
    assert (bare.findings[0].difference, shown.findings[0].difference is None) == (None, False)
    assert "95 % interval" in shown.findings[0].reason


GOLDEN: list[tuple[str, Gate, tuple[Bucket, Bucket], Outcome]] = [
    ("errors double", gate(tolerance=Margin(0.9)), (arm(400, 20), arm(400, 48)), Outcome.REGRESSED),
    ("errors rise by half", gate(tolerance=Margin(1.0)), (arm(400, 20), arm(400, 30)), Outcome.CLEAN),
    ("errors above 1 %", gate(limit=0.01), (Bucket(), arm(400, 12)), Outcome.REGRESSED),
    ("errors below 1 %", gate(limit=0.01), (Bucket(), arm(400, 2)), Outcome.CLEAN),
]


@pytest.mark.clause("VE-29")
@pytest.mark.parametrize(("words", "of", "arms", "outcome"), GOLDEN, ids=[each[0] for each in GOLDEN])
def test_golden_gates_fire_and_do_not_fire(words: str, of: Gate, arms: tuple[Bucket, Bucket], outcome: Outcome) -> None:
    """What owners commonly declare is found where it is, and not where it is not."""
    assert only(policy(of, steps=weights(50)), *many(12, *arms)).outcome is outcome, words


@pytest.mark.clause("VE-29")
@pytest.mark.parametrize(("slower_by", "outcome"), [(250.0, Outcome.REGRESSED), (50.0, Outcome.CLEAN)])
def test_p99_more_than_100_ms_worse(slower_by: float, outcome: Outcome) -> None:
    """A tail that is 250 ms slower breaks a tolerance of 100 ms, one that is 50 ms slower keeps within it."""
    spread = tuple(200.0 + 3.0 * (i * 37 % 100) for i in range(400))
    of = policy(gate("latency_ms:p99", tolerance=Margin(0.0, 100.0)), steps=weights(50))
    slow = tuple(each + slower_by for each in spread)

    found = only(of, *many(30, arm(400, 0, spread), arm(400, 0, slow)))

    assert found.outcome is outcome
