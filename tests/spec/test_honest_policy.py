# SPDX-License-Identifier: Apache-2.0
"""What a policy declares is done, or holds and says so, or is refused: docs/spec.md, The line, Rollouts."""

from __future__ import annotations

import pytest

from lockgate.core.decision.decision import Cause
from lockgate.core.policy.step import StepKind
from lockgate.core.rollout import Status
from lockgate.errors import UsageError
from lockgate.operations.create import create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, order, predicate, receipts, trial_of, world


def split(here: World, rollout_id: str, candidate: int, *, minutes: int) -> str:
    """Let 100 runs a minute flow, so many of them to the candidate, and return why the rollout then stands."""
    reason = ""
    for _ in range(minutes):
        ingest(here.batch(APP, {"v36": 100 - candidate, "abc123": candidate}, EQUAL), here.house)
        here.clock.advance(60)
        reason = tick(rollout_id, here.house).transition.decision.reason
    return reason


@pytest.mark.clause("LI-84")
def test_a_unit_is_refused_because_runs_are_counted() -> None:
    """A receipt that said otherwise would promise what nobody keeps."""
    here = world()

    with pytest.raises(UsageError, match="counts by user") as caught:
        created(here, policy={"unit": "user"})

    assert "Leave `unit` out" in (caught.value.advice or "")
    with here.house.store.reading() as seen:
        assert seen.rollouts() == ()


@pytest.mark.clause("LI-84")
def test_a_receipt_says_that_runs_are_assumed_to_be_independent() -> None:
    """In every rollout."""
    here = world()
    rollout = created(here).rollout

    said = [predicate(receipt)["promise"]["independence"] for receipt in receipts(here.house, rollout.id)]

    assert said == ["assumed"]


@pytest.mark.clause("LI-85")
def test_a_required_pairwise_comparison_holds_while_nobody_makes_it() -> None:
    """It never promotes, however clean the gates are, and `create` says so."""
    here = world()
    made = created(here, policy={"require_pairwise": True, "steps": [50, 100], "min_runs": 10})

    here.walk(made.rollout.id, EQUAL, runs=200, minutes=90)

    turn = tick(made.rollout.id, here.house)
    assert turn.transition.decision.cause is Cause.PAIRWISE
    assert trial_of(here, made.rollout.id).rollout.step == 0
    assert any("pairwise comparison is required" in warning for warning in made.warnings)


@pytest.mark.clause("LI-86")
def test_an_enforced_weight_holds_where_traffic_is_split_otherwise() -> None:
    """Whoever sets the split, and until an operator has cleared the alarm."""
    here = world()
    rollout = created(here, policy={"enforce_weight": True, "steps": [20, 100]}).rollout

    reason = split(here, rollout.id, 60, minutes=5)

    assert "the split is off" in reason
    assert trial_of(here, rollout.id).rollout.step == 0


@pytest.mark.clause("LI-86")
@pytest.mark.parametrize("is_enforced", [True, False])
def test_a_split_as_declared_is_no_alarm(*, is_enforced: bool) -> None:
    """And without `enforce_weight` none is: then somebody else may split as they like."""
    here = world()
    rollout = created(here, policy={"enforce_weight": is_enforced, "steps": [20, 100]}).rollout

    split(here, rollout.id, 20 if is_enforced else 60, minutes=60)

    assert trial_of(here, rollout.id).rollout.status is Status.PROMOTED


@pytest.mark.clause("LI-86")
def test_runs_from_before_the_weight_say_nothing_of_it() -> None:
    """Neither those that `since` reads nor those that are imported."""
    here = world()
    for _ in range(5):
        ingest(here.batch(APP, {"v36": 50, "abc123": 50}, EQUAL), here.house)
        here.clock.advance(60)
    asked = order(since_s=3_600, policy={"enforce_weight": True, "steps": [20, 100]})
    rollout = create(asked, here.house).rollout
    ingest(here.batch(APP, {"v36": 50, "abc123": 50}, EQUAL), here.house)
    here.clock.advance(3_600)
    late = here.batch(APP, {"v36": 50, "abc123": 50}, EQUAL)
    here.clock.advance(60)
    ingest(late, here.house, by_start_time=True)
    here.clock.advance(61)

    tick(rollout.id, here.house)

    state = trial_of(here, rollout.id).progress.state
    assert (state.candidate_runs, state.ratio.candidate, state.is_split_alarmed) == (300, 0, False)


@pytest.mark.clause("LI-86")
def test_a_shadow_splits_nothing() -> None:
    """Its weight is not live, so traffic says nothing of it."""
    here = world()
    rollout = created(here, policy={"mode": "shadow", "enforce_weight": True, "steps": [20, 100]}).rollout

    split(here, rollout.id, 60, minutes=60)

    assert trial_of(here, rollout.id).rollout.status is Status.PROMOTED


@pytest.mark.clause("LI-87")
def test_a_holdback_is_what_the_weight_leaves() -> None:
    """Movers are asked for the candidate's own part, so that the baseline stays."""
    here = world()
    steps = [50, {"weight": 100, "holdback": 5, "soak": "10m"}]
    made = created(here, policy={"steps": steps, "min_runs": 10})

    here.walk(made.rollout.id, EQUAL, runs=400, minutes=60)

    last = made.policy.steps[-1]
    assert (last.kind, last.weight, last.holdback, last.has_concurrent_baseline) == (StepKind.WEIGHT, 95, 5, True)
    rollout = trial_of(here, made.rollout.id).rollout
    assert (rollout.status, rollout.exposed_weight) == (Status.PROMOTED, 95)
    with here.house.store.reading() as seen:
        told = [message.data["weight"] for message in seen.messages(APP)]
    assert max(float(str(weight)) for weight in told) == 95


@pytest.mark.clause("LI-88")
@pytest.mark.parametrize("step", [{"kind": "mirror"}, {"ring": "internal"}])
def test_a_step_that_somebody_else_routes_holds_until_its_runs_come(step: dict[str, str]) -> None:
    """And `create` says who has to send them."""
    here = world()
    made = created(here, policy={"steps": [step, 50, 100]})
    here.clock.advance(7_200)

    turn = tick(made.rollout.id, here.house)

    assert turn.transition.is_look
    assert trial_of(here, made.rollout.id).rollout.step == 0
    assert any("until runs of the candidate come in" in warning for warning in made.warnings)
