# SPDX-License-Identifier: Apache-2.0
"""Where raw runs rest in a store of files: docs/spec.md, Buckets and reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lockgate import crash_point
from lockgate.adapters.stores.sqlite import segments as sqlite_segments
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore
from lockgate.core.batch import Ingested
from lockgate.core.retention import Retention
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.testing.world import World
from tests.spec.line import APP, batch

HELD = sqlite_segments.HELD


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Return a world on a store in files."""
    store = SqliteStore(tmp_path)
    yield World(store, 1)
    store.close()


def take(here: World, number: int) -> str:
    """Ingest the batch of a number, and return its digest."""
    return ingest(batch({"run_id": f"r{number}"}), here.house).digest


def resting(folder: Path) -> tuple[int, int]:
    """Return how many batches have their raw runs in the control file, and how many in the other."""
    counted = []
    for name, table in ((CONTROL, "held_segments"), (RUNS, "segments")):
        with closing(sqlite3.connect(folder / name)) as file:
            counted.append(file.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 -- the tables of the line above
    return counted[0], counted[1]


@pytest.mark.clause("BU-200")
def test_raw_runs_are_found_wherever_they_rest(here: World, tmp_path: Path) -> None:
    """After each batch, by whoever opens the store then, each once and in order."""
    digests: list[str] = []
    for number in range(2 * HELD + 1):
        digests.append(take(here, number))
        here.clock.advance(1)

        with SqliteStore(tmp_path).reading() as seen:
            before = seen.segments_before(here.clock.now(), (-1, ""), 100)
            assert [digest for _, digest in before] == digests
            assert all(seen.is_segment_sound(digest) for digest in digests)
            assert seen.segments_before(here.clock.now(), before[0], 2) == before[1:3]
        assert resting(tmp_path) == ((number + 1) % HELD, (number + 1) // HELD * HELD)


@pytest.mark.clause("BU-200")
def test_a_move_that_is_cut_off_loses_and_doubles_nothing(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two files raw runs are in both, and the next batch moves them again."""
    digests = [take(here, number) for number in range(HELD - 1)]
    monkeypatch.setattr(crash_point, "_handler", stop_at("store.runs_kept"))
    with pytest.raises(RuntimeError):
        take(here, HELD)
    monkeypatch.setattr(crash_point, "_handler", None)
    in_both = resting(tmp_path)
    with here.house.store.reading() as seen:
        while_in_both = seen.segments_before(here.clock.now() + 1, (-1, ""), 100)

    digests.append(take(here, HELD + 1))

    assert in_both == (HELD - 1, HELD)
    assert len(while_in_both) == HELD
    assert resting(tmp_path) == (0, HELD + 1)
    with here.house.store.reading() as seen:
        assert all(seen.is_segment_sound(digest) for digest in digests)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("BU-200")
def test_a_batch_that_comes_again_after_others_were_moved_is_as_old_as_it_came(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a stopped move left of it in one file is not beside what rests in the other."""
    for number in range(HELD - 1):
        take(here, number)
    monkeypatch.setattr(crash_point, "_handler", stop_at("store.runs_kept"))
    with pytest.raises(RuntimeError):
        take(here, HELD)
    monkeypatch.setattr(crash_point, "_handler", None)
    take(here, HELD + 1)
    here.clock.advance(15 * 24 * 3_600)

    digest = take(here, HELD)

    assert resting(tmp_path) == (0, HELD + 1)
    assert fsck(here.house).flaws == ()
    assert prune(here.house, Retention()).raw == HELD
    with here.house.store.reading() as seen:
        assert seen.is_segment_sound(digest)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("BU-200")
@pytest.mark.parametrize("is_moved", [True, False])
def test_raw_runs_that_outlived_their_batch_are_as_old_as_it_is_when_it_comes_again(
    here: World, tmp_path: Path, *, is_moved: bool
) -> None:
    """In whichever file they are, as pinned ones may be."""
    digests = [take(here, number) for number in range(HELD if is_moved else 1)]
    here.clock.advance(3_600)
    with here.house.store.writing() as work:
        work.drop_slots(APP, 0, 1)
        work.drop_batches(here.clock.now(), 99)

    with here.house.store.writing() as work:
        work.add_batch(Ingested(digest=digests[0], at=here.clock.now(), runs=1, apps={APP: 1}), b"raw", [])

    with here.house.store.reading() as seen:
        before = seen.segments_before(here.clock.now() + 1, (-1, ""), 99)
    assert [at for at, digest in before if digest == digests[0]] == [here.clock.now()]
    assert sum(resting(tmp_path)) == len(digests)


@pytest.mark.parametrize("large", [1, sqlite_segments.LARGE])
@pytest.mark.clause("BU-200")
def test_a_batch_that_was_cut_off_and_comes_again_is_as_old_as_it_came(
    here: World, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """What was left of it is pruned when its age is over, and not before."""
    monkeypatch.setattr(sqlite_segments, "LARGE", large)
    for number in range(HELD - 1):
        take(here, number)
    monkeypatch.setattr(crash_point, "_handler", stop_at("store.runs_kept"))
    with pytest.raises(RuntimeError):
        take(here, HELD)
    monkeypatch.setattr(crash_point, "_handler", None)
    here.clock.advance(15 * 24 * 3_600)

    digest = take(here, HELD)

    with here.house.store.reading() as seen:
        assert seen.segments_before(here.clock.now() + 1, (-1, ""), 100)[-1] == (here.clock.now(), digest)
    assert fsck(here.house).flaws == ()
    assert prune(here.house, Retention()).raw == HELD - 1
    with here.house.store.reading() as seen:
        assert seen.is_segment_sound(digest)


@pytest.mark.clause("BU-200")
def test_raw_runs_of_a_large_batch_go_to_their_file_at_once(
    here: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To write them twice would cost more than to synchronise a second file."""
    monkeypatch.setattr(sqlite_segments, "LARGE", 1)

    digest = take(here, 1)

    assert resting(tmp_path) == (0, 1)
    with here.house.store.reading() as seen:
        assert seen.is_segment_sound(digest)


@pytest.mark.clause("BU-200")
def test_raw_runs_are_pruned_wherever_they_rest(here: World, tmp_path: Path) -> None:
    """By their age alone."""
    for number in range(HELD + 1):
        take(here, number)
    here.clock.advance(15 * 24 * 3_600)
    latest = take(here, HELD + 1)

    prune(here.house, Retention())

    with here.house.store.reading() as seen:
        assert [digest for _, digest in seen.segments_before(here.clock.now() + 1, (-1, ""), 9)] == [latest]
    assert resting(tmp_path) == (1, 0)


def stop_at(point: str) -> Callable[[str], None]:
    """Return what ends a call at a place that it reaches."""

    def handler(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    return handler
