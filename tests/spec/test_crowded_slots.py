# SPDX-License-Identifier: Apache-2.0
"""More releases than a slot has room for come in; what is tallied by itself goes out: docs/spec.md, Kept runs."""

from __future__ import annotations

import pytest

from lockgate.core.app import MAX_RELEASES, UNNAMED_RELEASE
from lockgate.operations.intake.ingest import ingest
from lockgate.testing.world import World
from tests.spec.line import APP, batch, created, world

FLOOD = [{"release": f"r{number}"} for number in range(MAX_RELEASES + 40)]


def counts(here: World, number: int = 0) -> dict[str, int]:
    """Return how many runs of each release a slot holds."""
    with here.house.store.reading() as seen:
        return dict(seen.run_counts(APP, number))


@pytest.mark.clause("BU-221")
def test_a_slot_has_room_for_so_many_releases() -> None:
    """What further ones ran is counted, so that no flood of names fills memory or the store."""
    here = world()

    results = [ingest(batch(*FLOOD[:20]), here.house), ingest(batch(*FLOOD[20:]), here.house)]

    held = counts(here)
    assert (len(held), held[UNNAMED_RELEASE]) == (MAX_RELEASES + 1, 40)
    assert [(each.runs, each.crowded) for each in results] == [(20, 0), (MAX_RELEASES + 20, 40)]


@pytest.mark.clause("BU-221")
def test_releases_on_trial_have_room_whatever_came_before() -> None:
    """Nobody who sends runs of other releases blinds a rollout."""
    here = world()
    created(here)
    ingest(batch(*FLOOD), here.house)
    before = len(counts(here))

    result = ingest(batch({"release": "v36"}, {"release": "abc123", "status": "error"}, {"release": "new"}), here.house)

    held = counts(here)
    assert (result.crowded, len(held)) == (1, before + 2)
    assert (held["v36"], held["abc123"]) == (1, 1)
