# SPDX-License-Identifier: Apache-2.0
"""A champion whose trial is long pruned is taken back, and the store stays sound: docs/spec.md, Retention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lockgate.core.retention import Retention
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, trial_of, world
from tests.spec.operators import ANN, promoted

HOUR_S = 3_600
BRIEF = Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S)


def by_rollback(here: World, rollout_id: str) -> None:
    """Roll the rollout back that made the champion."""
    rollback(rollout_id, ANN, here.house)


def by_kill(here: World, _rollout_id: str) -> None:
    """Kill its app."""
    kill(APP, ANN, here.house)


def reigned_long(here: World) -> str:
    """Return the rollout of a champion after hours of traffic, of which only the last are kept."""
    rollout_id = promoted(here)
    for _ in range(6):
        ingest(here.batch(APP, {"abc123": 3}, EQUAL), here.house)
        here.clock.advance(HOUR_S)
    prune(here.house, BRIEF)
    return rollout_id


@pytest.mark.clause("LI-570")
@pytest.mark.parametrize("taken_back", [by_rollback, by_kill])
def test_an_old_champion_that_is_taken_back_leaves_a_sound_store(taken_back: Callable[[World, str], None]) -> None:
    """Neither its buckets nor its looks are missed, which were pruned before; nor after another prune."""
    here = world()
    rollout_id = reigned_long(here)

    taken_back(here, rollout_id)

    assert fsck(here.house).flaws == ()
    assert not trial_of(here, rollout_id).has_looks
    with here.house.store.reading() as seen:
        kept = next(app.kept_from for app in seen.apps())
        assert kept > 0
        assert all(pin.first >= kept for pin in seen.pins())
    prune(here.house, BRIEF)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-570")
def test_looks_of_a_champion_that_was_taken_back_are_missed_if_nothing_so_old_was_pruned() -> None:
    """Only what had ended before the time that was signed as pruned may be without looks."""
    here = world()
    rollout_id = promoted(here)
    by_rollback(here, rollout_id)
    trial = trial_of(here, rollout_id)

    with here.house.store.writing() as work:
        work.drop_looks(rollout_id, 500)
        work.save(replace(trial, turn=trial.turn + 1, has_looks=False))

    assert any("its looks are marked as pruned" in flaw.what for flaw in fsck(here.house).flaws)
