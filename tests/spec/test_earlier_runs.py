# SPDX-License-Identifier: Apache-2.0
"""What a rollout reads from before it, and what that decides and binds: docs/spec.md, Rollouts and Receipts and log."""

from __future__ import annotations

from typing import Any

import pytest

from lockgate.core.finding import Outcome
from lockgate.core.instant import instant_text
from lockgate.core.rollout import Status
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.testing.world import Law, World
from tests.spec.line import APP, EQUAL, WORSE, created, predicate, receipts, trial_of, world
from tests.spec.operators import ANN

HOURS = 7_200


def before(laws: dict[str, Any] = EQUAL, minutes: int = 20) -> World:
    """Return a world in which both releases have served."""
    here = world()
    here.serve_both(APP, {"v36": 2_000, "abc123": 2_000}, laws, minutes=minutes)
    return here


@pytest.mark.clause("LI-390")
def test_a_canary_leaves_no_step_by_runs_from_before_it() -> None:
    """They are evidence, and nothing that met this weight; runs that do leave the step, and the reason tells both."""
    here = before()
    rollout = created(here, since_s=HOURS).rollout

    first = tick(rollout.id, here.house)
    later = here.walk(rollout.id, EQUAL, runs=1_000, minutes=2)[-1]

    assert first.verdict.outcome is Outcome.INSUFFICIENT
    assert "5 % has 0 of 30 fresh candidate runs; 2,000 are from before the rollout" in first.transition.decision.also
    said = "clean at 5 % with 50 fresh runs and 2,000 from before the rollout, advancing to 25 %"
    assert (later.rollout.step, later.transition.decision.reason) == (1, said)


@pytest.mark.clause("LI-390")
def test_runs_from_before_roll_a_canary_back() -> None:
    """Harm is harm whenever it was done."""
    here = before(WORSE)

    turn = tick(created(here, since_s=HOURS).rollout.id, here.house)

    assert turn.rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-500")
@pytest.mark.parametrize("release", ["v36", "abc123"])
def test_runs_from_before_stand_for_no_release_that_is_silent_since(release: str) -> None:
    """Neither a baseline that fell silent nor a metric that the candidate ceased to carry is made up for by them."""
    here = before()
    rollout = created(here, since_s=HOURS, policy={"gates": ["error_rate", "latency_ms:p95"]}).rollout
    dark = {"v36": EQUAL["v36"], "abc123": Law(latency_ms=None)}
    served = {"abc123": 400} if release == "v36" else {"v36": 400, "abc123": 400}

    for _ in range(20):
        here.serve_both(APP, served, dark, minutes=1)
        turn = tick(rollout.id, here.house)

    assert (turn.rollout.status, turn.rollout.step) == (Status.ACTIVE, 0)
    assert Outcome.CLEAN not in [each.outcome for each in turn.verdict.findings[release == "abc123" :]]


@pytest.mark.clause("LI-500")
def test_what_waits_from_before_meets_nothing_that_came_at_the_weight() -> None:
    """A baseline that served until a minute before is not what the first runs of the candidate are compared with."""
    here = world()
    here.serve_both(APP, {"v36": 2_000}, EQUAL, minutes=5)
    rollout = created(here, since_s=HOURS, policy={"gates": ["error_rate"]}).rollout

    for _ in range(5):
        here.serve_both(APP, {"abc123": 400}, EQUAL, minutes=1)
        turn = tick(rollout.id, here.house)

    assert turn.verdict.outcome is not Outcome.CLEAN
    assert trial_of(here, rollout.id).progress.state.gates[0].fresh_baseline == 0


@pytest.mark.clause("LI-390")
def test_in_shadow_mode_runs_from_before_are_walked_on() -> None:
    """Nobody meets the candidate there, so files alone take it a step further."""
    here = before()

    turn = tick(created(here, since_s=HOURS, policy={"mode": "shadow"}).rollout.id, here.house)

    said = "clean at 5 % with 0 fresh runs and 2,000 from before the rollout, advancing to 25 %"
    assert turn.transition.decision.reason == said


@pytest.mark.clause("RE-100")
def test_the_first_receipt_binds_what_is_read_from_before() -> None:
    """Since when, which buckets, and that nobody had read them; without `since` there is nothing of it."""
    here = before()
    rollout = created(here, since_s=HOURS).rollout

    said = predicate(receipts(here.house, rollout.id)[0])["evidence"]

    span = trial_of(here, rollout.id).spans[0]
    assert said["earlier"] == {
        "since": instant_text(here.clock.now() - HOURS * 1_000),
        "buckets": {"first": span.first, "last": 19},
        "readByAttempts": 0,
    }


@pytest.mark.clause("RE-100")
def test_without_since_nothing_is_bound_from_before() -> None:
    """A rollout that begins with the next bucket says nothing of earlier ones."""
    here = before()

    said = predicate(receipts(here.house, created(here).rollout.id)[0])

    assert "earlier" not in said["evidence"]
    assert "attempts" not in said["promise"]


@pytest.mark.clause("RE-101")
def test_an_attempt_that_reads_what_others_read_says_so() -> None:
    """In its first receipt, to its owner, and in what every receipt promises; the check makes it again."""
    here = before()
    for _ in range(2):
        tried = created(here, since_s=HOURS)
        tick(tried.rollout.id, here.house)
        rollback(tried.rollout.id, ANN, here.house)

    third = created(here, since_s=HOURS)
    tick(third.rollout.id, here.house)

    first = predicate(receipts(here.house, third.rollout.id)[0])
    assert first["evidence"]["earlier"]["readByAttempts"] == 2
    assert first["promise"]["attempts"] == 3
    assert any("2 earlier attempts of abc123 read some of these runs already" in each for each in third.warnings)
    assert fsck(here.house).flaws == ()
