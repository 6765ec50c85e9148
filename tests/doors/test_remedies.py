# SPDX-License-Identifier: Apache-2.0
"""Whatever holds a rollout comes with what ends it, at a true rate: docs/spec.md, The line at the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lockgate.core.batch import Group, RunBatch
from lockgate.core.decision.decision import Cause
from lockgate.core.finding import Outcome
from lockgate.core.receipt import operator
from lockgate.core.summary import ERROR, OK, Columns
from lockgate.core.surroundings import NEVER_TOGETHER
from lockgate.core.verdict.reason import sequential_reason
from lockgate.operations.asking.queries import Explanation, explain
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.pause import pause
from lockgate.operations.tick import tick
from lockgate.report.explained import explained
from lockgate.testing.world import Law, World
from tests.spec.line import APP, created, world

ANN = operator("ann", "looking")
SLICE = (("intent", "medical"),)
LAWS = {"v36": Law(0.05), "abc123": Law(0.05)}


def send(here: World, groups: dict[tuple[str, tuple[tuple[str, str], ...]], int], every: int = 20) -> None:
    """Ingest so many live runs of each release and slice, of which every so many-th fails, and let a minute pass."""
    counts = np.array(list(groups.values()))
    total = int(counts.sum())
    statuses = np.concatenate([np.where(np.arange(count) % every == every - 1, ERROR, OK) for count in counts.tolist()])
    batch = RunBatch(
        body=f"{here.clock.now()}".encode(),
        columns=Columns(runs=total, statuses=statuses.astype(np.int8), values={}),
        groups=tuple(Group(APP, release, labels) for release, labels in groups),
        group=np.repeat(np.arange(len(groups)), counts),
        started_at=np.full(total, here.clock.now()),
        ids=[None] * total,
        probes=(),
    )
    ingest(batch, here.house)
    here.clock.advance(60)


def changes(here: World, rollout_id: str) -> tuple[Explanation, tuple[str, ...]]:
    """Return an explanation, and its sentences of what would change it."""
    said = explain(rollout_id, here.house)
    parts = {part.heading: part.sentences for part in explained(said, here.clock.now())}
    return said, parts["What would change it"]


def walked(here: World, minutes: int, runs: int = 200, **policy: Any) -> str:
    """Return the id of a canary after some minutes of traffic."""
    rollout = created(here, policy=policy).rollout
    here.walk(rollout.id, LAWS, runs=runs, minutes=minutes)
    return rollout.id


@pytest.mark.clause("LI-381")
def test_everything_that_holds_comes_with_what_ends_it() -> None:
    """Of a rollout that nine rules hold each has its sentence, and each command is whole."""
    here = world()
    first = {"weight": 5, "approval": "manual", "min_hold": "1h", "settle": "2m", "max_hold": "2h"}
    rollout_id = walked(
        here,
        2,
        require_pairwise=True,
        invariants=[{"id": "pii", "event": "pii", "max": 0}],
        steps=[{**first, "on_deadline": "rollback"}, {"weight": 100}],
    )
    freeze(APP, ANN, here.house)
    pause(rollout_id, ANN, here.house)

    said, sentences = changes(here, rollout_id)

    seen = f'--id {rollout_id} --step 0 --revision 2 --reason "..."'
    why = f'--id {rollout_id} --reason "..."'
    causes = {call.cause for call in said.holds}
    rules = {Cause.PAIRWISE, Cause.ALARM, Cause.INSUFFICIENT, Cause.FREEZE, Cause.PAUSED, Cause.MIN_RUNS}
    assert causes == rules | {Cause.MIN_HOLD, Cause.APPROVAL}
    assert sentences == (
        f"A pairwise comparison, which nothing here makes yet; a person may go past it: `lockgate promote {seen}`.",
        f"A new rollout without pii, or a person who goes past it: `lockgate promote {seen}`.",
        "error_rate: runs of the candidate at this step that carry error_rate.",
        f'A person who unfreezes it: `lockgate unfreeze --app-id {APP} --reason "..."`.',
        f"A person who resumes it, and so lets pass what pauses it now: `lockgate resume {why}`.",
        "30 more candidate runs at this step.",
        "58 min more of min_hold.",
        f"A person who approves leaving this step: `lockgate approve {seen}`.",
        "Its deadline: a tick in 1 h 58 min or later decides to rollback, if it still holds.",
        "20 runs of the candidate came while the traffic of this step still settled, and are never compared.",
        "Only sealed buckets are read, and none is open: no run has come since the last one was sealed.",
    )


@pytest.mark.clause("LI-381")
def test_what_never_ran_together_is_ended_by_traffic_at_the_same_time() -> None:
    """The remedy of the alarm stands where what would change it stands."""
    here = world()
    rollout_id = created(here).rollout.id
    for release in ("v36", "abc123"):
        for _ in range(3):
            send(here, {(release, ()): 100})
        here.clock.advance(7_200)

    _, sentences = changes(here, rollout_id)

    assert "Runs of both releases at the same time, within an hour of each other: send both the same traffic." in (
        sentences
    )


@pytest.mark.clause("LI-552")
def test_what_never_ran_together_needs_neither_more_runs_nor_more_looks() -> None:
    """However bad the candidate looks, nothing is comparable, and no number of runs or looks changes that."""
    here = world()
    rollout_id = created(here).rollout.id
    for release, every in (("v36", 20), ("abc123", 2)):
        for _ in range(3):
            send(here, {(release, ()): 100}, every)
        here.clock.advance(7_200)
    said = explain(rollout_id, here.house)
    assert [each.reason for each in said.holds][:1] == [NEVER_TOGETHER]

    parts = {part.heading: part.sentences for part in explained(said, here.clock.now())}

    assert "Why the plain interval does not decide" not in parts
    assert not any("error_rate" in sentence for sentence in parts["What would change it"])


@pytest.mark.clause("LI-554")
@pytest.mark.parametrize(
    ("level", "left", "said"),
    [
        (0.02, None, "the evidence does not yet grow towards excluding harm"),
        (0.5, None, "there is evidence of harm, and not enough to show it"),
        (0.5, 394, "at this pace about 400 more candidate runs will settle it"),
    ],
)
def test_a_reason_points_where_its_meter_does(level: float, left: int | None, said: str) -> None:
    """What leans to the left is not spoken of as growing to the right; runs that are needed are said as elsewhere."""
    here = world()
    rollout_id = created(here).rollout.id
    for _ in range(3):
        send(here, {("v36", ()): 100, ("abc123", ()): 100})
    shown = explain(rollout_id, here.house)
    finding, gate = shown.verdict.findings[0], shown.policy.gates[0]
    assert finding.evidence is not None
    harm = level * finding.evidence.harm_threshold
    evidence = replace(finding.evidence, harm=harm, harm_level=harm, projected_runs=left)

    reason = sequential_reason(replace(finding, outcome=Outcome.INSUFFICIENT, evidence=evidence), gate)

    assert reason.endswith(f"; {said}")


@pytest.mark.clause("LI-381")
def test_after_its_one_look_an_offline_step_promises_nothing_of_more_runs() -> None:
    """The cohort is complete, so a person or a new rollout goes on, and no run that comes later."""
    here = world()
    steps = [{"kind": "offline"}, {"weight": 50}, {"weight": 100}]
    rollout_id = created(here, policy={"mode": "shadow", "min_runs": 60, "steps": steps}).rollout.id
    send(here, {("v36", ()): 60, ("abc123", ()): 60}, every=5)
    tick(rollout_id, here.house)

    said, sentences = changes(here, rollout_id)

    assert said.decision.reason.endswith("its one look is over, so only a new rollout asks for more runs")
    assert sentences[0].startswith("error_rate: nothing that arrives, because offline has had its one look")


@pytest.mark.clause("LI-382")
def test_the_pace_is_that_of_the_time_in_which_runs_count() -> None:
    """20 candidate runs a minute are 1,200 an hour from the first minute that counts, however the step began."""
    here = world()
    rollout_id = created(here, policy={"min_runs": 1_000}).rollout.id
    paces = []
    for minute in range(6):
        send(here, {("v36", ()): 180 + minute, ("abc123", ()): 20})
        tick(rollout_id, here.house)
        paces.append(explain(rollout_id, here.house).runs_per_hour)
    here.clock.advance(30)

    assert paces == [None, *[1_200.0] * 5]
    assert explain(rollout_id, here.house).runs_per_hour == 1_200.0


@pytest.mark.clause("LI-383")
def test_a_gate_on_a_slice_waits_for_all_the_runs_that_bring_its_own() -> None:
    """One run in fifty is of the slice, so fifty times as many candidate runs and as much time are said."""
    here = world()
    rollout_id = created(here, policy={"gates": [{"metric": "error_rate", "slice": dict(SLICE)}]}).rollout.id
    for _ in range(12):
        send(here, {("v36", ()): 980, ("v36", SLICE): 20, ("abc123", ()): 980, ("abc123", SLICE): 20})
        tick(rollout_id, here.house)

    said, sentences = changes(here, rollout_id)

    (finding,) = said.verdict.findings
    assert finding.evidence is not None
    judged, runs = finding.evidence.projected_runs, said.runs_left(finding)
    assert judged is not None
    assert runs is not None
    assert 50 * judged <= runs <= 55 * judged
    assert said.seconds_left(finding) == round(runs / 60_000 * 3_600)
    assert sentences[0].startswith(
        f"error_rate [intent=medical]: about {runs:,} more candidate runs, of which it reads"
    )


@pytest.mark.clause("LI-384")
def test_the_first_bucket_only_teaches() -> None:
    """Of one bucket with both releases in it nothing is held against a candidate, and that is said in two places."""
    here = world()
    rollout_id = created(here, policy={"mode": "shadow", "gates": ["error_rate"]}).rollout.id
    ingest(here.batch(APP, {"v36": 1_000, "abc123": 1_000}, {"v36": Law(0.01), "abc123": Law(0.2)}), here.house)
    here.clock.advance(60)

    said, sentences = changes(here, rollout_id)
    parts = {part.heading: part.sentences for part in explained(said, here.clock.now())}

    taught = "error_rate: the first bucket only teaches how the baseline varies; a second sealed one is needed."
    assert sentences[0] == taught
    assert parts["Why the plain interval does not decide"] == (taught,)


@pytest.mark.clause("LI-383")
def test_runs_that_could_not_be_compared_count_in_what_is_left() -> None:
    """Two of three candidate runs come without a baseline beside them, and so will those that are waited for."""
    here = world()
    rollout_id = created(here, policy={"steps": [90, 100]}).rollout.id
    send(here, {("v36", ()): 40, ("abc123", ()): 40})
    for minute in range(10):
        send(here, {("abc123", ()): 40, ("v36", ()): 40} if minute % 3 == 0 else {("abc123", ()): 40})
        tick(rollout_id, here.house)

    said, _ = changes(here, rollout_id)

    (finding,) = said.verdict.findings
    assert finding.evidence is not None
    projected, runs = finding.evidence.projected_runs, said.runs_left(finding)
    assert projected is not None
    assert runs is not None
    assert runs >= 2 * projected > 0


@pytest.mark.clause("LI-383")
def test_a_reason_says_of_which_runs_it_speaks() -> None:
    """Of a gate on a slice they are those of its slice."""
    here = world()
    rollout_id = created(here, policy={"gates": [{"metric": "error_rate", "slice": dict(SLICE)}]}).rollout.id
    for _ in range(12):
        send(here, {("v36", ()): 80, ("v36", SLICE): 20, ("abc123", ()): 80, ("abc123", SLICE): 20})
        tick(rollout_id, here.house)

    said, _ = changes(here, rollout_id)

    assert said.decision.reason.endswith("more candidate runs of its slice will settle it")


@pytest.mark.clause("LI-382")
def test_runs_from_before_a_canary_make_no_pace() -> None:
    """How fast they came says nothing of the weight that is live."""
    here = world()
    here.serve_both(APP, {"v36": 2_000, "abc123": 2_000}, LAWS, minutes=20)
    rollout_id = created(here, since_s=7_200, policy={"min_runs": 1_000}).rollout.id
    before = explain(rollout_id, here.house).runs_per_hour

    for _ in range(3):
        send(here, {("v36", ()): 180, ("abc123", ()): 20})
        tick(rollout_id, here.house)

    assert (before, explain(rollout_id, here.house).runs_per_hour) == (None, 1_200.0)


@pytest.mark.clause("LI-384")
def test_a_quantile_learns_from_more_than_one_bucket() -> None:
    """It is not promised that the second bucket is enough."""
    here = world()
    rollout_id = created(here, policy={"mode": "shadow", "gates": ["latency_ms:p95"]}).rollout.id
    ingest(here.batch(APP, {"v36": 50, "abc123": 50}, LAWS), here.house)
    here.clock.advance(60)

    _, sentences = changes(here, rollout_id)

    assert sentences[0].startswith("latency_ms:p95: the first buckets only teach how the baseline varies")


@pytest.mark.clause("LI-513")
def test_a_step_that_few_of_the_baseline_see_says_how_many_runs_bring_them() -> None:
    """At 99 % thirty runs of the baseline come beside three thousand of the candidate, which is said on arrival."""
    here = world()
    rollout_id = created(here, policy={"steps": [50, 99, 100]}).rollout.id
    for _ in range(30):
        send(here, {("v36", ()): 200, ("abc123", ()): 200})
        if tick(rollout_id, here.house).rollout.step:
            break

    said, sentences = changes(here, rollout_id)

    assert said.rollout.step == 1
    assert "error_rate: runs of the candidate at this step that carry error_rate, about 3,000 of them." in sentences


@pytest.mark.clause("LI-514")
def test_a_step_that_is_left_beside_few_runs_of_the_baseline_says_beside_how_many() -> None:
    """Many fresh runs are no more than what they were compared with."""
    here = world()
    rollout_id = created(here).rollout.id
    for _ in range(60):
        send(here, {("v36", ()): 20, ("abc123", ()): 200})
        turn = tick(rollout_id, here.house)
        if turn.rollout.step:
            break
    reason = turn.transition.decision.reason

    found = re.fullmatch(r"clean at 5 % with ([\d,]+) fresh runs, compared with ([\d,]+) of the baseline, .*", reason)

    assert found is not None
    fresh, compared = (int(count.replace(",", "")) for count in found.groups())
    assert fresh == 10 * compared
