# SPDX-License-Identifier: Apache-2.0
"""How long what is kept: docs/spec.md, The line, Retention."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.receipt import Actor, operator
from lockgate.core.retention import Retention
from lockgate.errors import DataError, UsageError
from lockgate.operations.asking.example_runs import Examples, Wanted, example_runs
from lockgate.operations.create import create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import preview, prune, retained
from lockgate.operations.retention.unpinning import release
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.wiring import run_batches, sqlite_store
from tests.spec.line import APP, EQUAL, WORSE, batch, created, order, receipts, world

HOUR_S, DAY_S = 3_600, 86_400
BRIEF = Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S)
ANN = Actor("person", "ann", "a spike")


def kept(here: World) -> tuple[list[int], int]:
    """Return the numbers of the slots, and how many batches of raw runs there are."""
    with here.house.store.reading() as seen:
        numbers = [slot.number for slot in seen.slots(APP)]
        return numbers, len(seen.segments_before(2**62, (-1, ""), 10_000))


def hours(here: World, count: int) -> None:
    """Let a batch of both releases come every hour, in a slot of its own."""
    for _ in range(count):
        ingest(here.batch(APP, {"v36": 3, "abc123": 3}, EQUAL), here.house)
        here.clock.advance(HOUR_S)


def rolled_back(here: World) -> str:
    """Return a rollout that a breach ended."""
    rollout = created(here).rollout
    for _ in range(200):
        ingest(here.batch(APP, {"v36": 40, "abc123": 40}, WORSE), here.house)
        here.clock.advance(60)
        if tick(rollout.id, here.house).rollout.is_terminal:
            return rollout.id
    raise AssertionError("a candidate that fails twenty times as often was not rolled back")


@pytest.mark.clause("LI-71")
def test_what_is_older_is_dropped(tmp_path: Path) -> None:
    """Raw runs by one span, buckets by another; the rest is as it was."""
    here = World(sqlite_store(tmp_path), 1)
    hours(here, 6)
    before = preview(here.house, BRIEF)

    done = prune(here.house, BRIEF)

    assert (before.raw, before.buckets) == (done.raw, done.buckets) == (5, 4)
    assert kept(here) == ([4, 5], 1)
    assert prune(here.house, BRIEF) == replace(done, raw=0, buckets=0, batches=0, ids=0, receipts=())
    hours(here, 1)
    assert kept(here) == ([4, 5, 6], 2)


@pytest.mark.clause("LI-338")
@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_clock_that_was_set_back_makes_no_batch_older_than_its_bucket(back: int) -> None:
    """A batch that is gone while its bucket stays would be taken for lost, and could be taken twice."""
    here = world()
    ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
    here.clock.advance(-back * HOUR_S)
    ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
    here.clock.advance((6 + back) * HOUR_S)

    prune(here.house, BRIEF)

    found = fsck(here.house)
    assert (found.flaws, found.unknown) == ((), ())


@pytest.mark.clause("LI-339")
@pytest.mark.parametrize("is_paused", [False, True])
def test_raw_runs_that_were_pruned_before_a_decision_are_not_missed(is_paused: bool) -> None:
    """A rollout may last longer than raw runs are kept; what it pinned before that stays pinned."""
    here = world()
    rollout = created(here).rollout
    hours(here, 3)
    tick(rollout.id, here.house)
    if is_paused:
        pause(rollout.id, operator("ann", "a look"), here.house)
    hours(here, 3)
    prune(here.house, BRIEF)
    tick(rollout.id, here.house)
    rollback(rollout.id, operator("ann", "enough"), here.house)

    again = prune(here.house, BRIEF)

    found = fsck(here.house)
    assert (again.raw, again.pinned > 0) == (0, is_paused)
    assert (found.flaws, found.unknown) == ((), ())


@pytest.mark.clause("LI-71")
def test_spans_are_remembered_when_that_is_asked_for() -> None:
    """Else the next call keeps what it always kept."""
    here = world()

    prune(here.house, BRIEF)
    once = retained(here.house)
    prune(here.house, BRIEF, save=True)

    assert (once.raw_s, once.buckets_s) == (14 * DAY_S, 400 * DAY_S)
    assert (retained(here.house).raw_s, retained(here.house).buckets_s) == (HOUR_S, 2 * HOUR_S)


@pytest.mark.clause("LI-71")
@pytest.mark.parametrize("spans", [Retention(raw_s=60), Retention(raw_s=2 * DAY_S, buckets_s=DAY_S)])
def test_spans_that_cannot_be_meant_are_refused(spans: Retention) -> None:
    """What is still written to is not dropped, and raw runs do not outlive their buckets."""
    with pytest.raises(UsageError):
        prune(world().house, spans)


@pytest.mark.clause("LI-72")
def test_an_active_rollout_keeps_its_buckets() -> None:
    """However old they are: it may have to read them."""
    here = world()
    hours(here, 4)
    rollout = create(order(since_s=3 * HOUR_S), here.house).rollout
    hours(here, 30)

    prune(here.house, BRIEF)
    first = kept(here)[0][0]

    with here.house.store.reading() as seen:
        trial = seen.trial(rollout.id)
    assert trial is not None
    assert first == trial.spans[0].first


@pytest.mark.clause("LI-73")
def test_a_rollback_pins_the_raw_runs_of_both_arms() -> None:
    """Until they are released; then they are as any others."""
    here = world()
    rollout_id = rolled_back(here)
    _, batches = kept(here)
    here.clock.advance(30 * DAY_S)
    hours(here, 2)

    done = prune(here.house, BRIEF)
    pinned = kept(here)[1]
    released = release(rollout_id, here.house)
    here.clock.advance(DAY_S)
    prune(here.house, BRIEF)

    assert (done.raw, done.pinned) == (1, batches)
    assert released is not None
    assert (pinned, release(rollout_id, here.house)) == (batches + 1, None)
    assert kept(here)[1] == 0


@pytest.mark.clause("LI-73")
def test_a_pause_pins_what_was_read_until_then() -> None:
    """By an operator or a gate alike; what comes later is not pinned by it."""
    here = world()
    rollout = created(here).rollout
    hours(here, 3)
    tick(rollout.id, here.house)

    pause(rollout.id, ANN, here.house)

    with here.house.store.reading() as seen:
        assert [(pin.rollout, pin.first, pin.last) for pin in seen.pins()] == [(rollout.id, 0, 2)]
        assert len(seen.pinned()) == 3


@pytest.mark.clause("LI-74")
def test_what_was_pruned_is_not_taken_for_lost(tmp_path: Path) -> None:
    """Receipts and log stay, and the store is sound without what it let go."""
    here = World(sqlite_store(tmp_path), 1)
    rollout_id = rolled_back(here)
    signed = receipts(here.house, rollout_id)
    release(rollout_id, here.house)
    here.clock.advance(30 * DAY_S)
    hours(here, 3)

    done = prune(here.house, BRIEF)

    assert done.raw > 0
    assert done.buckets > 0
    assert receipts(here.house, rollout_id) == signed
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-74")
def test_a_lost_bucket_is_not_taken_for_pruned(tmp_path: Path) -> None:
    """The app says up to where its buckets were pruned."""
    here = World(sqlite_store(tmp_path), 1)
    hours(here, 6)
    prune(here.house, BRIEF)
    with here.house.store.writing() as work:
        work.drop_slots(APP, 4, 4)

    flaws = fsck(here.house).flaws

    assert any("bucket 4 is missing" in flaw.what for flaw in flaws)


def shown(here: World, **wanted: Any) -> list[object]:
    """Return the ids of the examples of a kind."""
    found: Examples = example_runs(Wanted(**{"app": APP, **wanted}), here.house)
    return [each.record.get("run_id") for each in found.runs]


@pytest.mark.clause("LI-70")
def test_examples_are_the_latest_runs_of_a_kind() -> None:
    """By release and status, the last to come first, each once."""
    here = world()
    ingest(batch({"run_id": "a", "status": "error"}, {"run_id": "b"}, {"run_id": "c", "status": "error"}), here.house)
    here.clock.advance(HOUR_S)
    ingest(
        batch({"run_id": "d", "release": "abc123", "status": "error"}, {"run_id": "c", "status": "error"}), here.house
    )

    assert shown(here, status="error") == ["c", "d", "a"]
    assert shown(here, release="v36", status="error") == ["c", "a"]
    assert shown(here, limit=2) == ["c", "d"]
    assert shown(here, since=here.clock.now() - 60_000) == ["c", "d"]


@pytest.mark.clause("LI-70")
def test_examples_end_where_raw_runs_were_pruned() -> None:
    """And say from when on they are kept; an app that nobody knows is answered with those that are."""
    here = world()
    for run_id in ("a", "b", "c"):
        ingest(batch({"run_id": run_id}), here.house)
        here.clock.advance(HOUR_S)
    prune(here.house, BRIEF)

    found = example_runs(Wanted(app=APP), here.house)

    assert [each.record["run_id"] for each in found.runs] == ["c"]
    assert found.until == here.clock.now() - HOUR_S * 1_000
    with pytest.raises(UsageError, match="there is no app nope"):
        example_runs(Wanted(app="nope"), here.house)


@pytest.mark.clause("LI-70")
def test_a_run_that_names_no_app_is_of_the_one_that_was_given() -> None:
    """The same bytes for another app are refused, because nothing in them tells the two apart."""
    here, body = world(), b'{"release": "v36", "status": "ok", "run_id": "a"}\n'
    ingest(run_batches().decode(body, APP), here.house)

    assert shown(here) == ["a"]
    with pytest.raises(DataError, match="taken as runs of claims-agent"):
        ingest(run_batches().decode(body, "other"), here.house)
