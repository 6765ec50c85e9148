# SPDX-License-Identifier: Apache-2.0
"""Canaries against another baseline than the champion come in; the record must follow the traffic."""

from __future__ import annotations

import pytest

from lockgate.errors import NotPermittedError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, world
from tests.spec.operators import ANN, app_of, promoted


def stands(here: World) -> tuple[str | None, str | None]:
    """Return who is champion and who was, where the receipts say so too."""
    assert fsck(here.house).flaws == ()
    return app_of(here).champion, app_of(here).former_champion


@pytest.mark.clause("LI-530")
def test_the_baseline_that_gets_the_traffic_is_champion() -> None:
    """From the start on, with no way back to the one that lost it, and after its candidate has failed."""
    here = world()
    promoted(here)

    second = created(here, baseline="v36", candidate="def456").rollout

    assert stands(here) == ("v36", None)
    rollback(second.id, ANN, here.house)
    assert stands(here) == ("v36", None)
    assert created(here, baseline=None, candidate="later").rollout.baseline == "v36"


@pytest.mark.clause("LI-530")
def test_a_release_that_lost_the_traffic_is_tried_again() -> None:
    """The job's words begin a second trial, where they would be answered by a promotion that is past."""
    here = world()
    first = promoted(here)
    rollback(created(here, baseline="v36", candidate="def456").rollout.id, ANN, here.house)

    again = created(here)

    assert (again.is_existing, again.rollout.attempt) == (False, 2)
    assert again.rollout.id != first
    here.walk(again.rollout.id, EQUAL, runs=4000, minutes=40)
    assert stands(here) == ("abc123", "v36")


@pytest.mark.clause("LI-530")
def test_a_trial_that_moves_no_traffic_crowns_nobody() -> None:
    """A shadow rollout against another baseline leaves the champion its traffic."""
    here = world()
    promoted(here)

    created(here, baseline="v35", candidate="def456", policy={"mode": "shadow"})

    assert stands(here) == ("abc123", "v36")


@pytest.mark.clause("LI-530")
def test_a_kill_takes_no_traffic_back_to_a_release_that_was_left() -> None:
    """The candidate loses its share to the baseline; a second kill and a rollback of the past find nothing."""
    here = world()
    first = promoted(here)
    created(here, baseline="v36", candidate="def456")

    kill(APP, ANN, here.house)
    unfreeze(APP, ANN, here.house)
    kill(APP, ANN, here.house)

    assert stands(here) == ("v36", None)
    with pytest.raises(NotPermittedError):
        rollback(first, ANN, here.house)


@pytest.mark.clause("LI-531")
def test_a_job_without_a_baseline_that_runs_again_gets_the_trial_that_it_had() -> None:
    """While it is active and after its candidate took over."""
    here = world()
    promoted(here)
    made = created(here, baseline=None, candidate="def456").rollout.id

    during = created(here, baseline=None, candidate="def456")
    here.walk(made, dict.fromkeys(("abc123", "def456"), EQUAL["v36"]), runs=4000, minutes=40)
    after = created(here, baseline=None, candidate="def456")

    assert stands(here) == ("def456", "abc123")
    assert [(each.rollout.id, each.is_existing) for each in (during, after)] == [(made, True), (made, True)]
