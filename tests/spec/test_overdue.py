# SPDX-License-Identifier: Apache-2.0
"""Rollouts that nobody looks after come in; who looks sees it, and the next tick acts: docs/spec.md, The line."""

from __future__ import annotations

import pytest

from lockgate.core.rollout import Status
from lockgate.operations.asking.queries import explain, overdue_rollouts
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from tests.spec.line import APP, EQUAL, created, trial_of, world
from tests.spec.routing import READS_BACK, routed

HOUR_S = 3600
HELD = {"steps": [{"weight": 25, "max_hold": "2h", "on_deadline": "rollback"}, {"weight": 100}]}


@pytest.mark.clause("LI-113")
def test_a_rollout_that_nobody_ticks_is_overdue() -> None:
    """After `max_stale` whoever looks is told for how long; a tick makes it good."""
    here = world()
    rollout = created(here).rollout
    here.clock.advance(15 * 60)
    before = overdue_rollouts(here.house, [rollout])
    here.clock.advance(25 * 60)

    seen = overdue_rollouts(here.house, [rollout])
    said = explain(rollout.id, here.house).overdue
    tick(rollout.id, here.house)

    assert before == {}
    assert seen == {rollout.id: "nobody has ticked it for 40 min, its policy's max_stale is 15 min"}
    assert said == seen[rollout.id]
    assert overdue_rollouts(here.house, [rollout]) == {}


@pytest.mark.clause("LI-113")
def test_a_deadline_is_seen_and_taken_at_the_next_tick() -> None:
    """Who looks reads what follows; the next tick does it, whoever comes and however late."""
    here = world()
    rollout = created(here, policy=HELD).rollout
    here.clock.advance(3 * HOUR_S)

    seen = overdue_rollouts(here.house, [rollout])[rollout.id]
    turn = tick(rollout.id, here.house)

    assert seen.startswith("25 % has held for 3 h, longer than 2 h (on_deadline: rollback at the next tick); nobody")
    assert (turn.rollout.status, turn.transition.decision.cause) == (Status.ROLLED_BACK, "deadline")
    assert explain(rollout.id, here.house).overdue is None


@pytest.mark.clause("LI-113")
@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("hold", "it goes on holding, because no on_deadline is declared", "it goes on holding"),
        ("pause", "on_deadline: pause at the next tick", "(on_deadline: pause)"),
    ],
)
def test_a_deadline_that_ends_nothing_stays_visible(action: str, before: str, after: str) -> None:
    """It holds for too long still, also after a tick has seen it."""
    here = world()
    steps = [{"weight": 25, "max_hold": "2h", "on_deadline": action}, {"weight": 100}]
    rollout = created(here, policy={"steps": steps}).rollout
    here.clock.advance(3 * HOUR_S)

    first = explain(rollout.id, here.house).overdue or ""
    tick(rollout.id, here.house)
    second = explain(rollout.id, here.house).overdue or ""

    assert before in first
    assert after in second
    assert "nobody" not in second


@pytest.mark.clause("LI-469")
def test_a_weight_that_is_not_live_for_long_is_overdue() -> None:
    """Nothing is compared until the router has it, so nobody waits unseen; a declared deadline is taken."""
    here = world()
    routed(here, program=READS_BACK)
    rollout = created(here, policy=HELD).rollout
    tick(rollout.id, here.house)
    here.clock.advance(14 * 60)
    tick(rollout.id, here.house)
    before = explain(rollout.id, here.house).overdue
    here.clock.advance(2 * 60)
    tick(rollout.id, here.house)

    after = explain(rollout.id, here.house).overdue or ""
    here.clock.advance(2 * HOUR_S)
    turn = tick(rollout.id, here.house)

    assert before is None
    assert after.startswith("25 % was asked for 16 min ago and its router reads back 0 %, so that nothing is compared")
    assert turn.rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-114")
@pytest.mark.parametrize("policy", [{}, {"min_runs": 40, "steps": [{"weight": 5.0}, {"weight": 100}]}])
def test_the_same_order_finds_its_rollout_after_runs_have_come(policy: dict[str, object]) -> None:
    """What is gated by default may be another since then; the rollout goes on under the policy that it began with."""
    here = world()
    first = created(here, policy=policy)
    ingest(here.batch(APP, {"v36": 100, "abc123": 10}, EQUAL), here.house)
    here.clock.advance(120)

    again = created(here, policy=policy)

    assert (again.rollout, again.is_existing, again.policy) == (
        trial_of(here, first.rollout.id).rollout,
        True,
        first.policy,
    )
    assert [gate.id for gate in again.policy.gates] == ["error_rate"]


@pytest.mark.clause("LI-114")
def test_another_order_of_the_same_releases_is_another_rollout() -> None:
    """One that asks for other runs is not answered with what somebody else declared."""
    here = world()
    first = created(here, policy={"mode": "shadow"}).rollout

    second = created(here, policy={"mode": "shadow", "min_runs": 40})

    assert (second.is_existing, second.rollout.id == first.id) == (False, False)
