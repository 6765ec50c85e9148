# SPDX-License-Identifier: Apache-2.0
"""Where a rollback sends traffic: docs/spec.md, The line, Rollouts."""

from __future__ import annotations

import pytest

from lockgate.core.transition import Event
from lockgate.operations.asking.queries import receipts_of
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.report.decided import way_back_of
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, GOOD, WORSE, created, world
from tests.spec.operators import ANN, app_of

LATER = {**EQUAL, "def456": GOOD}


def told(here: World) -> list[dict[str, object]]:
    """Return what messages of rollbacks say."""
    with here.house.store.reading() as seen:
        return [dict(each.data) for each in seen.messages(APP) if each.event is Event.ROLLBACK]


@pytest.mark.clause("LI-89")
def test_a_promoted_rollout_goes_back_to_whoever_had_the_traffic_when_it_began() -> None:
    """A champion that its start took the traffic from is no way back, and who moves traffic reads `target`."""
    here = world()
    first = created(here).rollout
    here.walk(first.id, EQUAL, runs=400, minutes=90)
    second = created(here, baseline="v36", candidate="def456").rollout
    here.walk(second.id, LATER, runs=400, minutes=90)
    assert app_of(here).champion == "def456"

    rollback(second.id, ANN, here.house)

    (said,) = told(here)
    assert said["baseline_release"] == "v36"
    assert said["target"] == {"kind": "former_champion", "release": "v36"}
    assert said["target_text"] == "traffic goes back to v36, the former champion"
    assert way_back_of(receipts_of(second.id, here.house)[-1]) == said["target_text"]


@pytest.mark.clause("LI-89")
def test_a_rollout_that_ends_goes_back_to_its_baseline() -> None:
    """And a tick that moves nothing sends nothing back."""
    here = world()
    rollout = created(here).rollout
    here.clock.advance(60)
    tick(rollout.id, here.house)
    before = way_back_of(receipts_of(rollout.id, here.house)[-1])

    here.walk(rollout.id, WORSE, runs=4_000, minutes=30)

    (said,) = told(here)
    assert said["target_text"] == "traffic goes back to v36, the baseline"
    assert (before, way_back_of(receipts_of(rollout.id, here.house)[-1])) == ("", said["target_text"])
