# SPDX-License-Identifier: Apache-2.0
"""Runs that came while traffic settled come in; `explain` says where they went: docs/spec.md, What to do next."""

from __future__ import annotations

import pytest

from lockgate.operations.ingest import ingest
from lockgate.operations.queries import explain
from lockgate.report.remedy import remedies
from lockgate.testing.world import World
from tests.spec.line import APP, WORSE, created, world

AHEAD = 10 * 365 * 86_400


def sentences(here: World, rollout_id: str) -> tuple[str, ...]:
    """Return what would let a rollout leave its step."""
    return tuple(remedies(explain(rollout_id, here.house), here.clock.now()))


@pytest.mark.clause("LI-573")
@pytest.mark.parametrize("jump", [0, AHEAD])
def test_runs_that_came_while_traffic_settled_are_named(jump: int) -> None:
    """Also after a clock that ran ahead; they are not waited for in silence, and later ones count."""
    here = world()
    rollout_id = created(here).rollout.id
    here.clock.advance(jump)
    ingest(here.batch(APP, {"v36": 5, "abc123": 5}, WORSE), here.house)
    here.clock.advance(20 - jump)
    ingest(here.batch(APP, {"v36": 1_000, "abc123": 1_000}, WORSE), here.house)
    here.clock.advance(7_200)

    before = sentences(here, rollout_id)
    ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
    here.clock.advance(60)
    after = sentences(here, rollout_id)

    settled = "of the candidate came while the traffic of this step still settled, and are never compared."
    assert f"1,005 runs {settled}" in before
    assert not any("still settled" in sentence for sentence in after)


@pytest.mark.clause("LI-573")
def test_runs_of_a_bucket_that_is_open_are_not_yet_spoken_of() -> None:
    """They may seal with others; what has come to nothing is said when it has."""
    here = world()
    rollout_id = created(here).rollout.id
    ingest(here.batch(APP, {"v36": 5, "abc123": 5}, WORSE), here.house)

    assert not any("still settled" in sentence for sentence in sentences(here, rollout_id))
