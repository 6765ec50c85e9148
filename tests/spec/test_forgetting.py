# SPDX-License-Identifier: Apache-2.0
"""What ended long ago, and what was told long ago: docs/spec.md, The line, Retention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.decision.decision import Action
from lockgate.core.delivery import State
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.receipt import Actor
from lockgate.core.retention import Retention
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.operations.vault.custody import change, standing
from lockgate.operations.vault.keeping import writing
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import APP, created, receipts, trial_of, world
from tests.spec.routing import READS_BACK, delivered, routed

HOUR_S = 3_600
BRIEF = Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S)
ANN = Actor("person", "ann", "no longer wanted")


def looked_at(here: World, **fields: object) -> str:
    """Return a rollout that was looked at several times."""
    rollout = created(here, **fields).rollout
    for _ in range(5):
        here.clock.advance(60)
        tick(rollout.id, here.house)
    return rollout.id


def looks(here: World, rollout_id: str) -> int:
    """Return how many looks are kept."""
    with here.house.store.reading() as seen:
        return len(seen.looks(rollout_id))


def told(here: World, *states: State) -> list[int]:
    """Return the places of the receipts that are to be told, or were."""
    with here.house.store.reading() as seen:
        return [delivery.seq for delivery in seen.deliveries(*states)]


@pytest.mark.clause("LI-300")
def test_looks_of_what_ended_long_ago_go(tmp_path: Path) -> None:
    """Those of a rollout that is active or has just ended stay, and what is left is proven without the others."""
    here = World(sqlite_store(tmp_path), 1)
    old = looked_at(here)
    rollback(old, ANN, here.house)
    here.clock.advance(3 * HOUR_S)
    fresh = looked_at(here, candidate="def456")

    gone = prune(here.house, BRIEF)

    found = fsck(here.house)
    assert (gone.looks, looks(here, old), looks(here, fresh)) == (5, 0, 5)
    assert (found.flaws, found.unknown) == ((), (f"{old}: what its looks said, which were pruned",))
    assert found.counted["decisions made again"] == len(receipts(here.house, old)) + len(receipts(here.house, fresh))
    assert prune(here.house, BRIEF).looks == 0


@pytest.mark.clause("LI-300")
def test_looks_after_the_last_receipt_go_too() -> None:
    """A weight that was read back after the end is bound by no receipt, and is not missed either."""
    here = world()
    router = routed(here, program=READS_BACK)
    old = looked_at(here)
    delivered(here, router)
    rollback(old, ANN, here.house)
    delivered(here, router)
    here.clock.advance(3 * HOUR_S)
    before = trial_of(here, old).chain.looks

    gone = prune(here.house, BRIEF)

    assert (before, gone.looks, looks(here, old)) == (1, 7, 0)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-300")
def test_a_look_that_is_lost_is_not_taken_for_one_that_was_pruned() -> None:
    """Also where looks of other rollouts were pruned."""
    here = world()
    old = looked_at(here)
    rollback(old, ANN, here.house)
    here.clock.advance(3 * HOUR_S)
    fresh = looked_at(here, candidate="def456")
    prune(here.house, BRIEF)

    with here.house.store.writing() as work:
        work.drop_looks(fresh, 1)

    assert [flaw.where for flaw in fsck(here.house).flaws] == [fresh]


@pytest.mark.clause("LI-300")
def test_whoever_was_interrupted_goes_on() -> None:
    """Looks that are marked as pruned and still there are no contradiction, and go the next time."""
    here = world()
    old = looked_at(here)
    rollback(old, ANN, here.house)
    here.clock.advance(3 * HOUR_S)
    trial, now = trial_of(here, old), here.clock.now()
    with writing(here.house) as work:
        work.put_retention(replace(BRIEF, deliveries_until=now))
        change(work, here.house, replace(standing(work, here.house), deliveries_until=now), Action.PRUNE, ANN)
        work.save(replace(trial, turn=trial.turn + 1, has_looks=False))

    found = fsck(here.house)

    assert found.is_sound
    assert prune(here.house, BRIEF).looks == 5


@pytest.mark.clause("LI-301")
def test_what_was_told_long_ago_goes() -> None:
    """What may still be told stays, however old; so do messages and receipts, and what is missing is still seen."""
    here = world()
    with here.house.store.writing() as work:
        work.put_endpoint(Endpoint(id="end_1", app=APP, kind=Kind.COMMAND, argv=("true",), folder="/", since=0))
    for candidate in ("a", "b", "c"):
        rolled_back(here, candidate)
    settle(here, 3)
    here.clock.advance(3 * HOUR_S)
    fresh = rolled_back(here, "d")
    settle(here, 2)

    gone = prune(here.house, BRIEF)

    found = fsck(here.house)
    assert (gone.deliveries, len(told(here, State.DUE)), len(told(here, State.DELIVERED))) == (3, 3, 2)
    assert found.flaws == ()
    with here.house.store.writing() as work:
        work.drop_deliveries(here.clock.now() + 1, 9)
    assert {flaw.where for flaw in fsck(here.house).flaws} == {fresh}


def rolled_back(here: World, candidate: str) -> str:
    """Return a rollout that was taken back as soon as it had begun, which is told twice."""
    rollout = created(here, candidate=candidate).rollout
    rollback(rollout.id, ANN, here.house)
    return rollout.id


def settle(here: World, count: int) -> None:
    """Let so many of what is due count as told, the newest first."""
    with here.house.store.writing() as work:
        for delivery in work.deliveries(State.DUE)[-count:]:
            work.put_delivery(replace(delivery, state=State.DELIVERED, attempts=1))
