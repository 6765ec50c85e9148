# SPDX-License-Identifier: Apache-2.0
"""What `compare` makes of two releases' runs: docs/spec.md, Compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from lockgate.core.bucket import Bucket, Events, Pairs
from lockgate.core.comparison import Comparison
from lockgate.core.comparison_schema import comparison_schema
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.finding import Outcome
from lockgate.core.intake import WHOLE, Intake, Question
from lockgate.core.policy.policy import Policy
from lockgate.errors import DataError, UsageError
from lockgate.operations.asking.compare import Request, compare
from lockgate.ports.reading import Progress
from tests.tallied import values_of

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "reference" / "compare.schema.json"
LATENCIES = np.random.default_rng(3).lognormal(5.0, 0.3, 400)
ASKED = Request(baseline="v36", candidate="abc123")


@dataclass
class Files:
    """Files whose intake is known beforehand; `asked` is the question that came."""

    intake: Intake
    asked: Question | None = None

    def read(self, paths: Sequence[str], question: Question, progress: Progress) -> Intake:
        """Return the intake, having told of progress."""
        self.asked = question
        progress(len(paths), None)
        return self.intake


def cohort(errors: int, slower: float = 1.0, runs: int = 400) -> Bucket:
    """Return a release's runs with status, latency, cost and two scores."""
    return Bucket(
        runs,
        {"ok": runs - errors, "error": errors},
        {"error_rate": Events(runs, errors), "pass_rate": Events(runs, 4), "scores.safe": Events(runs, 4)},
        {
            "latency_ms": values_of(LATENCIES[:runs] * slower),
            "cost": values_of(LATENCIES[:runs] / 1e5),
            "scores.safe": values_of([1.0] * (runs - 4) + [0.0] * 4),
            "scores.helpful": values_of(LATENCIES[:runs] / 1e3),
        },
    )


def intake(baseline: Bucket, candidate: Bucket, **more: Any) -> Intake:
    """Return what reading both releases gave."""
    known: dict[str, Any] = {
        "buckets": {("v36", WHOLE): baseline, ("abc123", WHOLE): candidate},
        "releases": {"v36": baseline.runs, "abc123": candidate.runs},
        "files": ("runs.ndjson",),
    }
    return Intake(**{**known, **more})


def compared(of: Intake, request: Request = ASKED) -> Comparison:
    """Return the comparison of an intake."""
    return compare(request, Files(of), ["runs.ndjson"])


@pytest.mark.clause("CO-12")
def test_by_default_failures_and_the_slow_end_gate() -> None:
    """What people ask first decides; the rest stands beside it."""
    comparison = compared(intake(cohort(8), cohort(60)))

    assert comparison.outcome is Outcome.REGRESSED
    assert [finding.metric.name for finding in comparison.gates] == ["error_rate", "latency_ms:p95"]
    assert [finding.metric.name for finding in comparison.shown] == [
        "latency_ms:p50", "latency_ms:p99", "cost", "pass_rate", "scores.helpful", "scores.safe:pass",
    ]  # fmt: skip
    assert {finding.outcome for finding in comparison.shown} == {Outcome.NOT_APPLICABLE}
    assert comparison.verdict_levels == {"error_rate": 0.975, "latency_ms:p95": 0.975}


@pytest.mark.clause("CO-12")
@pytest.mark.parametrize("bare_arm", [0, 1])
def test_latency_gates_where_either_release_has_it(bare_arm: int) -> None:
    """A release that stops saying how long it takes does not thereby pass."""
    arms = [cohort(0), cohort(0)]
    arms[bare_arm] = replace(cohort(0), values={})
    role = ("baseline", "candidate")[bare_arm]

    comparison = compared(intake(*arms, strangers={"latency": "latency_ms", "answer_cost": "cost"}))

    assert [finding.outcome for finding in comparison.gates] == [Outcome.CLEAN, Outcome.UNAVAILABLE]
    assert comparison.gates[1].reason == f"none of the 400 {role} runs carries latency_ms"
    assert comparison.notes == ("field `latency` is not read; is it meant to be latency_ms?",)


@pytest.mark.clause("CO-14")
def test_a_near_name_of_what_both_carry_is_no_news() -> None:
    """Whoever carries latency_ms may carry latency too."""
    comparison = compared(intake(cohort(8), cohort(8), strangers={"latency": "latency_ms"}))

    assert comparison.notes == ()


@pytest.mark.clause("CO-05")
def test_an_absent_metric_leaves_the_others_working() -> None:
    """A score that one release lacks is unavailable; the other gate still speaks."""
    request = replace(ASKED, metrics=("error_rate", "scores.helpful"))
    bare = replace(cohort(0), values={})

    comparison = compared(intake(cohort(0), bare), request)

    assert [finding.outcome for finding in comparison.gates] == [Outcome.CLEAN, Outcome.UNAVAILABLE]
    assert comparison.outcome is Outcome.UNAVAILABLE


NOBODY = {
    "a score": ("scores.helpfull", "no run carries scores.helpfull; did you mean 'scores.helpful'?"),
    "a share of answers": ("scores.helpful:pass", "no run carries scores.helpful as true or false, which"),
    "a field": (
        "ttft_ms:p95",
        "no run carries ttft_ms, which ttft_ms:p95 reads; field `ttft` is not read; is it meant",
    ),
}


@pytest.mark.clause("CO-16")
@pytest.mark.parametrize("case", NOBODY)
def test_a_metric_that_neither_release_carries_is_refused(case: str) -> None:
    """A slip in a name would otherwise be a gate that nothing can ever fail."""
    metric, said = NOBODY[case]
    of = intake(cohort(0), cohort(0), strangers={"ttft": "ttft_ms"})

    with pytest.raises(DataError) as caught:
        compared(of, replace(ASKED, metrics=("error_rate", metric)))

    assert caught.value.message.startswith(said)
    assert caught.value.advice == "The runs carry status, cost, latency_ms, scores.helpful, scores.safe."


@pytest.mark.clause("CO-16")
@pytest.mark.parametrize(("label", "outcome"), [("intnt", None), ("intent", Outcome.UNAVAILABLE)])
def test_a_label_that_no_run_has_is_refused(label: str, outcome: Outcome | None) -> None:
    """A slice by an unknown label is a slip; one by a value that nobody has is only empty."""
    policy = declare({"gates": ["error_rate", {"metric": "cost", "slice": {label: "medical"}}]})
    of = intake(cohort(0), cohort(0), labels=frozenset({"intent"}))

    if outcome is None:
        with pytest.raises(DataError, match=r"no run has a label intnt; did you mean 'intent'\?"):
            compared(of, replace(ASKED, policy=policy))
    else:
        assert compared(of, replace(ASKED, policy=policy)).outcome is outcome


LIMITED = declare({"gates": [{"metric": "error_rate", "max": "5%"}, {"metric": "scores.safe:pass", "min": "90%"}]})


@pytest.mark.clause("CO-11")
@pytest.mark.parametrize("baseline", [None, "v1"])
def test_objectives_need_no_baseline(baseline: str | None) -> None:
    """Fixed limits are kept or not, whatever was there before."""
    of = intake(Bucket(), cohort(2), releases={"abc123": 400})

    comparison = compared(of, replace(ASKED, baseline=baseline, policy=LIMITED))

    assert (comparison.outcome, comparison.baseline) == (Outcome.CLEAN, baseline)
    assert comparison.sizes["abc123"] == 400
    jsonschema.Draft202012Validator(comparison_schema()).validate(comparison.document())


@pytest.mark.clause("CO-11")
@pytest.mark.parametrize("policy", [None, declare({"gates": ["error_rate"]})])
def test_what_is_compared_needs_a_baseline(policy: Policy | None) -> None:
    """One release alone cannot be worse."""
    files = Files(intake(cohort(8), cohort(8)))

    with pytest.raises(UsageError, match="no baseline is named"):
        compare(replace(ASKED, baseline=None, policy=policy), files, ["runs.ndjson"])

    assert files.asked is None


@pytest.mark.clause("CO-14")
def test_what_a_policy_asks_of_rollouts_alone_is_told() -> None:
    """Nobody believes that an invariant was kept because a comparison is green."""
    policy = declare(
        {
            "gates": [{"metric": "error_rate", "margin": "0.5pp"}],
            "promote": "proven",
            "steps": "5,100",
            "invariants": [{"id": "pii", "event": "pii_leak"}],
            "limits": {"time": "7d"},
        }
    )

    comparison = compared(intake(cohort(0), cohort(0)), replace(ASKED, policy=policy))

    assert comparison.outcome is Outcome.CLEAN
    assert comparison.notes == (
        "compare judges gates; steps, invariants and limits are for rollouts and not judged here",
        "the policy promotes what is proven; error_rate is only clean",
    )


@pytest.mark.clause("CO-13")
def test_an_unknown_release_is_answered_with_those_that_there_are() -> None:
    """The message names what is missing, what is near, and everything with its runs."""
    of = intake(cohort(8), cohort(8), releases={"v36": 400, "abc124": 390, "v35": 1})

    with pytest.raises(DataError) as caught:
        compared(of)

    assert caught.value.message == "no run of release 'abc123'"
    assert caught.value.advice == (
        "For 'abc123' did you mean 'abc124'? Releases in the files: v36 (400 runs), abc124 (390 runs), v35 (1 run)."
    )


@pytest.mark.clause("CO-13")
@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (replace(ASKED, candidate="v36"), UsageError),
        (replace(ASKED, baseline=" "), UsageError),
        (replace(ASKED, metrics=("latency",)), UsageError),
        (replace(ASKED, per_gate_level=1.0), UsageError),
        (replace(ASKED, metrics=("cost",), policy=declare({})), UsageError),
    ],
)
def test_a_call_that_cannot_be_meant_reads_nothing(request_: Request, error: type[Exception]) -> None:
    """One name for both, an unknown metric, an impossible level: refused before the first byte is read."""
    files = Files(intake(cohort(8), cohort(8)))

    with pytest.raises(error):
        compare(request_, files, ["runs.ndjson"])

    assert files.asked is None


@pytest.mark.clause("CO-13")
def test_empty_files_are_bad_data() -> None:
    """No runs at all is not an unknown release."""
    with pytest.raises(DataError, match="no runs in the files"):
        compared(intake(Bucket(), Bucket(), releases={}))


@pytest.mark.clause("CO-13")
def test_runs_with_nothing_to_gate_by_default_ask_for_a_metric() -> None:
    """Where neither status nor latency is there, the answer lists what is."""
    only_cost = Bucket(400, {}, {}, {"cost": cohort(0).values["cost"]})

    with pytest.raises(UsageError) as caught:
        compared(intake(only_cost, only_cost))

    assert caught.value.advice == "The runs carry cost. Name what gates by `--metric`, or `metrics` of a call."


@pytest.mark.clause("CO-14")
def test_what_was_set_aside_is_told() -> None:
    """Duplicates, other releases and runs without a status are counted in words."""
    half = replace(cohort(8), statuses={"ok": 192, "error": 8})
    of = intake(half, cohort(8), duplicates=2, releases={"v36": 400, "abc123": 400, "v35": 7, "v34": 5})

    comparison = compared(of)

    assert comparison.duplicates == 2
    assert comparison.notes == (
        "2 runs came again with the same run_id; the first of each counts",
        "12 runs of 2 other releases left aside",
        "200 runs of v36 without a status; error_rate counts the other 200",
    )


@pytest.mark.clause("CO-02")
def test_a_level_per_gate_judges_each_by_itself() -> None:
    """The seed's rule: every gate at 95 %, however many there are."""
    comparison = compared(intake(cohort(8), cohort(8)), replace(ASKED, per_gate_level=0.95))

    assert set(comparison.verdict_levels.values()) == {0.95}
    assert comparison.document()["per_gate_level"] == 0.95


@pytest.mark.clause("CO-12")
def test_a_policy_says_which_slices_and_pairs_are_read() -> None:
    """What gates look at is asked of the files, and nothing else."""
    policy = declare({"gates": ["error_rate", {"metric": "cost", "slice": {"intent": "medical"}}, "latency_ms:paired"]})
    medical = (("intent", "medical"),)
    both = {(name, part): cohort(0) for name in ("v36", "abc123") for part in (WHOLE, medical)}
    pairs = {("latency_ms", WHOLE): Pairs(40, 320, 40)}
    files = Files(intake(cohort(8), cohort(8), buckets=both, pairs=pairs, labels=frozenset({"intent"})))

    comparison = compare(replace(ASKED, policy=policy), files, ["runs.ndjson"])

    assert files.asked == Question(
        baseline="v36", candidate="abc123", slices=(WHOLE, medical), paired_fields=("latency_ms",)
    )
    assert [finding.outcome for finding in comparison.gates] == [Outcome.CLEAN] * 3
    assert comparison.policy == policy


@pytest.mark.clause("CO-15")
@pytest.mark.parametrize(
    "candidate",
    [cohort(8), cohort(60, 1.5), cohort(2, runs=35), replace(cohort(8), values={})],
    ids=["clean", "regressed", "thin", "without latency"],
)
def test_documents_obey_the_published_schema(candidate: Bucket) -> None:
    """Whatever the outcome; a p99 of 35 runs has no upper limit, and JSON no infinity."""
    document = json.loads(json.dumps(compared(intake(cohort(8), candidate)).document(), allow_nan=False))

    jsonschema.Draft202012Validator(comparison_schema()).validate(document)

    assert document["outcome"] in set(Outcome)


@pytest.mark.clause("CO-15")
def test_the_published_schema_is_the_one_in_code() -> None:
    """The file in the docs is written from the code, and is itself a valid schema."""
    published = json.loads(SCHEMA.read_text(encoding="utf-8"))

    jsonschema.Draft202012Validator.check_schema(published)

    assert published == comparison_schema()
