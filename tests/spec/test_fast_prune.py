# SPDX-License-Identifier: Apache-2.0
"""A clock runs ahead while old runs are dropped, and is set back: docs/spec.md, The line, Retention."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.core.delivery import State
from lockgate.core.retention import Retention
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune, retained
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, world
from tests.spec.operators import ANN
from tests.spec.routing import routed

HOUR_S = 3_600
BRIEF = Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S)
AHEAD = 10 * 365 * 24 * HOUR_S


def rolled_back(here: World, candidate: str) -> str:
    """Return a rollout that was taken back as soon as it had begun, all of which was told."""
    rollout = created(here, candidate=candidate).rollout
    rollback(rollout.id, ANN, here.house)
    with here.house.store.writing() as work:
        for each in work.deliveries(State.DUE):
            work.put_delivery(replace(each, state=State.DELIVERED, attempts=1))
    return rollout.id


@pytest.fixture
def here() -> World:
    """Return a world in which all was pruned under a clock that ran ten years ahead, and was set back."""
    found = world()
    routed(found)
    for _ in range(3):
        ingest(found.batch(APP, {"v36": 3}, EQUAL), found.house)
        found.clock.advance(HOUR_S)
    rolled_back(found, "a")
    found.clock.advance(AHEAD)
    gone = prune(found.house, BRIEF, save=True)
    found.clock.advance(-AHEAD)
    assert (gone.raw, gone.deliveries) == (3, 2)
    found.clock.advance(60)
    return found


@pytest.mark.clause("LI-577")
def test_what_is_said_to_be_gone_is_what_was_there(here: World) -> None:
    """Nothing of the time to come, and the store is sound; the same prune by the right clock signs nothing more."""
    marks = retained(here.house)

    again = prune(here.house, BRIEF)

    now = here.clock.now()
    assert (marks.raw_until < now, marks.deliveries_until < now) == (True, True)
    assert (again.raw, again.receipts) == (0, ())
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-577")
def test_raw_runs_and_deliveries_that_are_lost_afterwards_are_missed(here: World) -> None:
    """They came after everything that was pruned, whatever the clock said then."""
    kept = ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
    fresh = rolled_back(here, "b")
    assert fsck(here.house).flaws == ()

    with here.house.store.writing() as work:
        work.drop_segments([kept.digest])
        work.drop_deliveries(here.clock.now() + 1, 9)

    assert {flaw.where for flaw in fsck(here.house).flaws} == {f"batch {kept.digest}", fresh}
