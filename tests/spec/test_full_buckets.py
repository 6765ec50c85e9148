# SPDX-License-Identifier: Apache-2.0
"""Buckets that seal by how many runs they hold: docs/spec.md, Buckets and reading."""

from __future__ import annotations

import pytest

from lockgate.core.declaration.fault import PolicyFaults
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.spine import Slot
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, at, batch, created, trial_of, world


def slots(here: World) -> list[tuple[int, bool]]:
    """Return number of each slot, and whether it is sealed."""
    with here.house.store.reading() as seen:
        return [(slot.number, slot.is_sealed) for slot in seen.slots(APP)]


def spine(here: World) -> tuple[Slot, ...]:
    """Return the app's slots."""
    with here.house.store.reading() as seen:
        return seen.slots(APP)


@pytest.mark.clause("BU-65")
def test_a_bucket_seals_when_the_candidate_has_its_runs() -> None:
    """In the transaction that brings them; the baseline's do not count."""
    here = world()
    rollout = created(here, policy={"bucket_runs": 50}).rollout
    counts = [{"abc123": 49, "v36": 500}, {"abc123": 1}, {"abc123": 10}]
    seen = []
    for count in counts:
        here.clock.advance(1)
        ingest(here.batch(APP, count, EQUAL), here.house)
        seen.append(slots(here))

    tick(rollout.id, here.house)

    assert seen == [[(0, False)], [(0, True)], [(0, True), (1, False)]]
    assert trial_of(here, rollout.id).progress.state.last_bucket == 0


@pytest.mark.clause("BU-65")
def test_without_a_rollout_only_time_seals() -> None:
    """A candidate is one on trial."""
    here = world()

    ingest(here.batch(APP, {"abc123": 500, "v36": 500}, EQUAL), here.house)

    assert slots(here) == [(0, False)]


@pytest.mark.clause("BU-65")
def test_how_runs_ended_does_not_seal() -> None:
    """Whoever sealed by outcomes could choose when to look."""
    ends = []
    for status in ("ok", "error"):
        here = world()
        created(here, policy={"bucket_runs": 3})
        for number in range(7):
            ingest(batch({"release": "abc123", "run_id": str(number), "status": status}), here.house)
        ends.append(slots(here))

    assert ends[0] == ends[1] == [(0, True), (1, True), (2, False)]


@pytest.mark.clause("BU-65")
def test_slots_of_imports_before_it_seal_with_it() -> None:
    """Slots seal in the order of their numbers; an import alone fills none."""
    here = world()
    created(here, policy={"bucket_runs": 2})
    old = [{"release": "abc123", "started_at": at(-30), "run_id": str(number)} for number in range(5)]
    ingest(batch(*old), here.house, by_start_time=True)
    before = slots(here)

    ingest(batch({"release": "abc123", "run_id": "x"}, {"release": "abc123", "run_id": "y"}), here.house)

    assert (before, slots(here)) == ([(0, False)], [(0, True), (1, True)])
    assert all(slot.digest for slot in spine(here))


@pytest.mark.clause("BU-66")
def test_the_count_is_declared_and_spelled_out() -> None:
    """None by default, and one at least."""
    assert declare({}).document()["bucket_runs"] is None
    assert declare({"bucket_runs": 400}).document()["bucket_runs"] == 400
    with pytest.raises(PolicyFaults, match="bucket_runs"):
        declare({"bucket_runs": 0})
