# SPDX-License-Identifier: Apache-2.0
"""What becomes of runs that are sent: docs/spec.md, The line, Runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.app import MAX_SLICES, OTHER
from lockgate.core.rollout import Status
from lockgate.core.spine import Slot
from lockgate.errors import DataError
from lockgate.operations.intake import ingest as ingesting
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, at, batch, created, world

MEDICAL = ("intent", "medical")


def slots(here: World) -> tuple[Slot, ...]:
    """Return the app's spine."""
    with here.house.store.reading() as seen:
        return seen.slots(APP)


def tallies(here: World) -> list[tuple[int, str, int]]:
    """Return slot, release and runs of every cell."""
    with here.house.store.reading() as seen:
        return sorted((cell.number, cell.release, cell.bucket.runs) for cell in seen.cells(APP, 0, 999))


@pytest.mark.clause("LI-01")
def test_the_first_run_makes_app_and_release() -> None:
    """Nobody has to declare either."""
    here = world()

    ingest(batch({}, {"release": "abc123"}), here.house)

    with here.house.store.reading() as seen:
        app, releases = seen.app(APP), [release.name for release in seen.releases(APP)]
    assert app is not None
    assert (app.champion, releases) == (None, ["abc123", "v36"])


@pytest.mark.clause("LI-02")
def test_a_batch_counts_once() -> None:
    """Who did not hear the answer may send again."""
    here, sent = world(), batch({"run_id": "a"}, {"run_id": "b"}, {"run_id": "a"}, {})
    first = ingest(sent, here.house)
    here.clock.advance(200)

    again = ingest(sent, here.house)

    assert (first.runs, first.duplicates, first.apps) == (3, 1, {APP: 3})
    assert again == replace(first, is_repeated=True)
    assert tallies(here) == [(0, "v36", 3)]


@pytest.mark.clause("LI-03")
def test_a_clock_that_goes_back_moves_nothing_back() -> None:
    """Numbers only rise; what came ahead of the clock is sealed, and later runs join slots by the clock of then."""
    here = world()
    ingest(batch({"run_id": "1"}), here.house)
    here.clock.advance(61)
    ingest(batch({"run_id": "2"}), here.house)
    here.clock.advance(-3_600)

    ingest(batch({"run_id": "3"}), here.house)
    here.clock.advance(3_600 + 61)
    ingest(batch({"run_id": "4"}), here.house)

    assert [slot.number for slot in slots(here)] == [0, 1, 2, 3]
    assert [slot.is_sealed for slot in slots(here)] == [True, True, True, False]
    assert tallies(here) == [(0, "v36", 1), (1, "v36", 1), (2, "v36", 1), (3, "v36", 1)]


@pytest.mark.clause("LI-04")
def test_a_tick_seals_only_what_is_over() -> None:
    """Ticking more often does not make buckets smaller."""
    here = world()
    rollout = created(here).rollout
    ingest(batch({"run_id": "1"}), here.house)
    here.clock.advance(59)

    tick(rollout.id, here.house)
    before = slots(here)
    here.clock.advance(1)
    tick(rollout.id, here.house)

    assert [slot.is_sealed for slot in before] == [False]
    assert [slot.is_sealed for slot in slots(here)] == [True]


@pytest.mark.clause("LI-04")
def test_a_late_run_joins_the_open_slot() -> None:
    """What was sealed keeps its digest, which binds the batches in it."""
    here, sent = world(), batch({"run_id": "1"})
    ingest(sent, here.house)
    here.clock.advance(61)
    ingest(batch({"run_id": "2"}), here.house)
    sealed = slots(here)[0]

    ingest(batch({"run_id": "3", "started_at": at(0.5)}), here.house)

    with here.house.store.reading() as seen:
        bound = seen.segments(APP, 0)
    assert slots(here)[0] == sealed
    assert (bound, sealed.is_sealed) == ((sent.digest,), True)
    assert tallies(here) == [(0, "v36", 1), (1, "v36", 2)]


@pytest.mark.clause("LI-04")
def test_equal_tallies_of_other_batches_have_another_digest() -> None:
    """A sealed bucket says of which raw runs it was made."""
    digests = []
    for run_id in ("1", "2"):
        here = world()
        ingest(batch({"run_id": run_id}), here.house)
        here.clock.advance(61)
        ingest(batch({"run_id": "later"}), here.house)
        digests.append(slots(here)[0].digest)

    assert digests[0] != digests[1]


@pytest.mark.clause("LI-05")
def test_files_of_both_arms_share_their_slots() -> None:
    """Two imports of the same hour, one after the other, stand side by side."""
    here = world()
    for release in ("v36", "abc123"):
        runs = [{"release": release, "started_at": at(minute - 30)} for minute in (0.1, 0.4, 2.2)]

        ingest(batch(*runs), here.house, by_start_time=True)

    assert tallies(here) == [(0, "abc123", 2), (0, "v36", 2), (1, "abc123", 1), (1, "v36", 1)]
    assert [slot.starts_at is None for slot in slots(here)] == [False, False]


@pytest.mark.clause("LI-05")
def test_live_runs_and_imported_ones_do_not_mix() -> None:
    """An import beside live traffic opens slots of its own, and a sealed time opens again under another number."""
    here = world()
    ingest(batch({"run_id": "live"}), here.house)
    ingest(batch({"run_id": "old", "started_at": at(-30)}), here.house, by_start_time=True)
    here.clock.advance(61)

    ingest(batch({"run_id": "older", "started_at": at(-30)}), here.house, by_start_time=True)

    assert tallies(here) == [(0, "v36", 1), (1, "v36", 1), (2, "v36", 1)]
    assert [slot.is_sealed for slot in slots(here)] == [True, True, False]
    assert slots(here)[1].starts_at == slots(here)[2].starts_at


@pytest.mark.clause("LI-06")
def test_labels_beyond_the_limit_are_counted_together() -> None:
    """Labels that are different for every run cannot fill the store."""
    here = world()
    runs = [{"run_id": str(number), "labels": {"user": str(number)}} for number in range(MAX_SLICES + 6)]

    result = ingest(batch(*runs, {}), here.house)

    with here.house.store.reading() as seen:
        cells = seen.cells(APP, 0, 0)
    assert (result.runs, result.other) == (MAX_SLICES + 7, 6)
    assert len(cells) == MAX_SLICES + 2
    assert next(cell.bucket.runs for cell in cells if cell.labels == OTHER) == 6


@pytest.mark.clause("LI-462")
def test_what_a_gate_looks_at_keeps_its_room() -> None:
    """A flood of other labels, before and after a rollout is declared, blinds no gate of it."""
    here = world()
    ingest(batch(*({"labels": {"x": str(number)}} for number in range(MAX_SLICES))), here.house)
    gates = [{"metric": "error_rate", "slice": dict([MEDICAL])}]
    rollout = created(here, policy={"gates": gates, "steps": [{"weight": 50}, {"weight": 100}]}).rollout
    for minute in range(8):
        runs = [
            {"release": name, "status": status, "labels": dict([MEDICAL, ("user", f"{minute}.{each}")])}
            for each in range(100)
            for name, status in (("v36", "ok"), ("abc123", "error" if each % 2 else "ok"))
        ]
        result = ingest(batch(*runs), here.house)
        here.clock.advance(60)

    turn = tick(rollout.id, here.house)

    assert result.other == 0
    assert turn.rollout.status is Status.ROLLED_BACK


@pytest.mark.clause("LI-462")
def test_a_gate_whose_slice_found_no_room_says_so() -> None:
    """Runs from before the rollout were tallied before anybody asked for their slice."""
    here = world()
    ingest(batch(*({"labels": {"x": str(number)}} for number in range(MAX_SLICES))), here.house)
    labels = {"labels": dict([MEDICAL])}
    ingest(batch(*({"release": name, **labels} for name in ("v36", "abc123") for _ in range(40))), here.house)
    gates = [{"metric": "error_rate", "slice": dict([MEDICAL])}]
    rollout = created(here, policy={"gates": gates, "mode": "shadow"}, since_s=3_600).rollout
    here.clock.advance(60)

    (finding,) = tick(rollout.id, here.house).verdict.findings

    assert finding.reason.startswith("none of 40 candidate runs at this step carries error_rate [intent=medical]; ")
    assert finding.reason.endswith("where `ingest` said that labels found no room, earlier runs count in no slice")


@pytest.mark.clause("LI-07")
@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([{}, {"started_at": at(120)}], "in the future"),
        ([{}, {"started_at": "2019-01-01T00:00:00Z"}], "longer ago"),
        ([{"run_id": "a"}, {"run_id": "a", "release": "abc123"}], "of release v36 and of release abc123"),
        ([{}, {"release": "two words"}], "not the name of a release"),
        ([{}, {"app_id": " "}], "not the name of an app"),
        ([{}, {"app_id": None}], "app_id is missing"),
        ([{}, {"status": "fine"}], "status"),
        ([{}, {"labels": {"": "x"}}], "a label has no name"),
        ([{}, {"started_at": "2026-09-21 10:00"}], "started_at"),
    ],
)
def test_of_a_batch_with_a_fault_nothing_is_stored(runs: list[dict[str, Any]], message: str) -> None:
    """Half a batch would be counted twice when its writer sends it again."""
    here = world()

    with pytest.raises(DataError, match=message):
        ingest(batch(*runs), here.house)

    with here.house.store.reading() as seen:
        assert (seen.apps(), seen.slots(APP)) == ((), ())


@pytest.mark.clause("LI-07")
def test_a_batch_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into one transaction is sent in parts."""
    monkeypatch.setattr(ingesting, "MAX_RUNS", 3)
    here = world()

    with pytest.raises(DataError, match="4 runs"):
        ingest(here.batch(APP, {"v36": 4}, EQUAL), here.house)
