# SPDX-License-Identifier: Apache-2.0
"""A clock that ran ahead and was set back comes in; what came under it blinds nobody: docs/spec.md, The line."""

from __future__ import annotations

import pytest

from lockgate.core.rollout import Status
from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from tests.spec.line import APP, WORSE, batch, created, world
from tests.spec.test_runs import slots

AHEAD = 10 * 365 * 86_400
HALF = {"steps": [{"weight": 50, "settle": "1m", "max_hold": "2h"}, {"weight": 100}]}


@pytest.mark.clause("LI-460")
@pytest.mark.parametrize("seconds", [3_600, AHEAD])
def test_one_batch_under_a_clock_that_ran_ahead_blinds_nobody(seconds: int) -> None:
    """The slot that it opened seals at once, so that runs of a worse candidate are read when they came."""
    here = world()
    rollout = created(here, policy=HALF).rollout
    here.clock.advance(seconds)
    ingest(batch({"run_id": "early"}), here.house)
    here.clock.advance(-seconds)
    for _ in range(8):
        ingest(here.batch(APP, {"v36": 500, "abc123": 500}, WORSE), here.house)
        here.clock.advance(60)

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-460")
def test_a_rollout_that_was_moved_under_a_clock_that_ran_ahead_is_judged() -> None:
    """The runs after its step began are told by the numbers of their slots."""
    here = world()
    here.clock.advance(AHEAD)
    rollout = created(here, policy=HALF).rollout
    here.clock.advance(-AHEAD)
    for _ in range(8):
        ingest(here.batch(APP, {"v36": 500, "abc123": 500}, WORSE), here.house)
        here.clock.advance(60)

    turn = tick(rollout.id, here.house)

    assert turn.rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-460")
def test_a_second_between_clocks_seals_nothing() -> None:
    """Small corrections of a clock are no reason for another bucket."""
    here = world()
    ingest(batch({"run_id": "1"}), here.house)
    here.clock.advance(-5)

    ingest(batch({"run_id": "2"}), here.house)

    assert [slot.is_sealed for slot in slots(here)] == [False]


@pytest.mark.clause("LI-461")
def test_whoever_looks_is_told_that_the_clock_was_set_back() -> None:
    """Neither its step nor the latest tick can be timed; a tick tells the second anew."""
    here = world()
    here.clock.advance(AHEAD)
    rollout = created(here, policy=HALF).rollout
    tick(rollout.id, here.house)
    here.clock.advance(-AHEAD)

    before = explain(rollout.id, here.house).overdue or ""
    tick(rollout.id, here.house)
    after = explain(rollout.id, here.house).overdue or ""

    assert before.startswith("the clock was set back: 50 % began at ")
    assert before.endswith("nobody has ticked it since the clock was set back")
    assert after == before.split("; ")[0]
