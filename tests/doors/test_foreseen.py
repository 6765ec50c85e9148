# SPDX-License-Identifier: Apache-2.0
"""What `create` promises in numbers: docs/spec.md, The line at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockgate.core.bucket import Events
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.foresight import foresee
from lockgate.report.foreseen import MEASURED_MISSES, foreseen_sentences, is_default
from tests.doors.line import APP, GOOD, ID, Door, write_runs

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results" / "studies.json"


@pytest.mark.clause("LI-149")
def test_create_promises_in_numbers(door: Door) -> None:
    """Of a baseline that nobody has seen: a doubling from 5 %, how often it is missed, and how long a proof takes."""
    assert door("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary") == 0

    said = " ".join(door.out.split())
    assert "a doubling from 5 % bad runs (assumed, since too few of its runs are stored) to 10 %" in said
    assert "reaches all traffic in at most 5 % of rollouts (measured at 5 %: 0.7 % to 3.3 %)" in said
    assert "without harm it is clean after about 230 candidate runs; proving that it is not worse by more than" in said


@pytest.mark.clause("LI-149")
def test_create_promises_by_the_baseline_that_is_stored(door: Door, tmp_path: Path) -> None:
    """The rate is measured, and the slow end is judged too; a program reads the same numbers."""
    door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": GOOD}))

    found = door.read("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary")

    errors, slow = found["foreseen"]["gates"]
    assert (errors["gate"], errors["is_measured"], slow["gate"]) == ("error_rate", True, "latency_ms:p95")
    assert errors["baseline_share"] == pytest.approx(GOOD, abs=0.006)
    assert errors["missed_at_most"] == 0.05
    assert 30 < slow["runs_to_clean"] < errors["runs_to_clean"] < found["foreseen"]["runs_to_full_exposure"]
    assert any("that were counted)" in sentence for sentence in found["promises"])
    assert not any("(measured at" in sentence for sentence in found["promises"])


@pytest.mark.clause("LI-149")
def test_the_quoted_figures_are_those_of_the_study() -> None:
    """And only the policy that was studied is said to do what was measured."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["flows"]
    missed = [row["full"] for row in rows if row["candidate"] == 2 * row["baseline"]]
    other = declare({"mode": "canary", "min_runs": 50}, ("error_rate",))

    assert (min(missed), max(missed)) == MEASURED_MISSES
    assert is_default(declare({"mode": "canary"}, ("error_rate",)))
    assert not is_default(other)
    for field in ({"bucket": "5s"}, {"bucket_runs": 40}, {"enforce_weight": True}):
        assert not is_default(declare({"mode": "canary", **field}, ("error_rate",)))
    assert not is_default(declare({"steps": [{"weight": 5, "approval": "manual"}, 25, 50, 100]}, ("error_rate",)))
    assert not any("measured at" in sentence for sentence in foreseen_sentences(other, foresee(other, {})))


@pytest.mark.clause("LI-149")
def test_what_promises_nothing_is_not_said_to() -> None:
    """Without `detect` nothing is excluded, and no number stands for it."""
    policy = declare({"gates": [{"metric": "error_rate", "detect": "none"}]}, ())

    (said, *_) = foreseen_sentences(policy, foresee(policy, {}))

    assert "at most" not in said
    assert "is a breach after about" in said


@pytest.mark.clause("LI-386")
@pytest.mark.parametrize(
    ("share", "said"), [(0.6, "a rise from 60 % bad runs (as measured) to 100 %"), (0.05, "a doub")]
)
def test_shares_are_written_as_people_do_and_only_twice_as_much_is_a_doubling(share: float, said: str) -> None:
    """No exponents, and from 60 to 100 % is no doubling."""
    policy = declare({"mode": "canary"}, ("error_rate",))

    (first, *_) = foreseen_sentences(policy, foresee(policy, {"error_rate": Events(10_000, round(10_000 * share))}))

    assert first.startswith(f"error_rate: {said}")


@pytest.mark.clause("LI-553")
@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (Events(3_000, 0), "0.017 % bad runs (taken for the 0 of 3,000 that were counted) to "),
        (Events(1_500, 17), "1.2 % bad runs (taken for the 17 of 1,500 that were counted) to "),
        (Events(1_000, 50), "5 % bad runs (as measured) to 10 %"),
    ],
)
def test_a_share_that_is_not_what_was_counted_is_not_called_measured(counted: Events, said: str) -> None:
    """Of few events a share is taken for a little more than was counted, and both are said."""
    policy = declare({"mode": "canary"}, ("error_rate",))

    (first, *_) = foreseen_sentences(policy, foresee(policy, {"error_rate": counted}))

    assert f"from {said}" in first


@pytest.mark.clause("LI-385")
def test_of_what_cannot_be_foreseen_there_is_no_sentence() -> None:
    """A slice that nobody has seen gets no half of one."""
    policy = declare({"gates": [{"metric": "error_rate", "slice": {"intent": "medical"}}]}, ())

    assert foreseen_sentences(policy, foresee(policy, {})) == ()


@pytest.mark.clause("LI-511")
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("broken", ["lockgate.operations.asking.foresee.latest", "lockgate.report.created.promises"])
def test_what_cannot_be_said_beside_an_answer_does_not_undo_it(
    broken: str, form: tuple[str, ...], door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rollout is on trial by then, so its id is told, and what is missing."""

    def fail(*_: object) -> None:
        raise ArithmeticError("broken on purpose")

    monkeypatch.setattr(broken, fail)

    code = door("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary", *form)

    assert code == 0
    assert ID.search(door.out)
    assert "cannot be said: ArithmeticError('broken on purpose')" in door.err
