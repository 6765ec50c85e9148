# SPDX-License-Identifier: Apache-2.0
"""Which runs count when they come again: docs/spec.md, The line, Runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.batch import Ingested
from lockgate.core.dedupe import Dedupe, marks_of
from lockgate.errors import DataError, UsageError
from lockgate.operations.intake.ingest import ingest
from lockgate.testing.world import World
from lockgate.wiring import run_batches, sqlite_store
from tests.spec.line import APP, at, batch, world

KEY = bytes(range(32))


def counted(here: World) -> int:
    """Return how many runs the app's tallies hold."""
    with here.house.store.reading() as seen:
        return sum(cell.bucket.runs for cell in seen.cells(APP, 0, 999))


def take(here: World, *ids: str | None, dedupe: Dedupe | None = None) -> Ingested:
    """Ingest a batch of runs with these ids; the world's clock makes its bytes its own."""
    number = here.clock.now()
    return ingest(batch(*({"run_id": run_id, "sent": number} for run_id in ids)), here.house, dedupe=dedupe)


@pytest.mark.clause("LI-67")
def test_a_run_that_comes_again_within_the_window_is_set_aside() -> None:
    """Ten minutes by default; after that nobody remembers."""
    here = world()
    take(here, "a", "b")
    here.clock.advance(600)

    again = take(here, "b", "c", "c", None, None)
    here.clock.advance(1)
    later = take(here, "a")

    assert (again.runs, again.duplicates) == (3, 2)
    assert (later.runs, later.duplicates) == (1, 0)
    assert counted(here) == 6


@pytest.mark.clause("LI-67")
def test_an_id_is_of_one_app() -> None:
    """Two apps may give the same ids."""
    here = world()
    take(here, "a")

    other = ingest(batch({"run_id": "a", "app_id": "other"}), here.house)

    assert (other.runs, other.duplicates) == (1, 0)


@pytest.mark.clause("LI-67")
def test_a_window_can_be_set() -> None:
    """It stays with the app."""
    here = world()
    take(here, "a", dedupe=Dedupe(window_s=3_600))
    here.clock.advance(3_600)

    assert take(here, "a").duplicates == 1


@pytest.mark.clause("LI-67")
def test_a_batch_that_is_refused_leaves_no_id() -> None:
    """When it is sent again without its fault, its runs count."""
    here = world()
    with pytest.raises(DataError, match="not the name of a release"):
        ingest(batch({"run_id": "a"}, {"run_id": "b", "release": "two words"}), here.house)

    assert take(here, "a", "b").runs == 2


@pytest.mark.clause("LI-68")
def test_strictly_an_id_is_known_for_good() -> None:
    """From the call that says so, with what the window holds then, and no way back."""
    here = world()
    take(here, "a")
    take(here, "b", dedupe=Dedupe(is_strict=True))
    here.clock.advance(10 * 86_400)

    again = take(here, "a", "b", "c")

    assert (again.runs, again.duplicates) == (1, 2)
    with pytest.raises(UsageError, match="cannot be taken back"):
        take(here, "d", dedupe=Dedupe())


@pytest.mark.clause("LI-69")
@pytest.mark.parametrize("dedupe", [Dedupe(), Dedupe(is_strict=True)])
def test_each_run_of_a_growing_file_counts_once(
    tmp_path: Path, dedupe: Dedupe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is cut into other batches each time, and its runs are known by their ids."""
    monkeypatch.setattr("lockgate.adapters.decoders.stored_runs.BATCH", 1 << 18)
    here = World(sqlite_store(tmp_path / "home"), 1)
    path, lengths = tmp_path / "runs.ndjson", (1_000, 2_500, 2_501, 9_000)
    for length in lengths:
        lines = (json.dumps({"release": "v36", "status": "ok", "run_id": f"r{number}"}) for number in range(length))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

        for each in run_batches().read([str(path)], APP, lambda _done, _of: None):
            ingest(each, here.house, by_start_time=True, dedupe=dedupe)
        here.clock.advance(60)

        assert counted(here) == length


@pytest.mark.clause("LI-405")
def test_a_log_that_is_imported_whole_each_hour_counts_once() -> None:
    """Hours after they came its first runs are still known, because a log keeps what it had."""
    here = world()
    for hour in range(12):
        runs = ({"run_id": f"r{number}", "started_at": at(number)} for number in range(60 * (hour + 1)))
        here.clock.advance(3_600)
        ingest(batch(*runs), here.house, by_start_time=True)

    assert counted(here) == 720


@pytest.mark.clause("LI-405")
def test_an_app_with_a_window_of_its_own_keeps_it() -> None:
    """What somebody asked for is not made longer by an import."""
    here = world()
    ingest(batch({"run_id": "a", "started_at": at(0)}), here.house, by_start_time=True, dedupe=Dedupe(window_s=60))
    here.clock.advance(61)

    again = ingest(batch({"run_id": "a", "started_at": at(0), "sent": 2}), here.house, by_start_time=True)

    assert again.runs == 1


@pytest.mark.clause("LI-67")
@given(st.lists(st.text(max_size=40), min_size=1, max_size=50))
def test_equal_ids_have_equal_marks(ids: list[str]) -> None:
    """And different ones different marks, alone or among others, whatever they are made of."""
    marks = marks_of(ids, KEY)

    assert len(set(marks.tolist())) == len(set(ids))
    assert marks.tolist() == [int(marks_of([one], KEY)[0]) for one in ids]


@pytest.mark.clause("LI-67")
def test_marks_are_of_a_secret() -> None:
    """Who does not know it cannot choose ids whose marks meet."""
    ids = [f"run-{number}" for number in range(10_000)]

    here, there = (set(marks_of(ids, key).tolist()) for key in (KEY, KEY[::-1]))

    assert (len(here), len(there)) == (len(ids), len(ids))
    assert not here & there


@pytest.mark.clause("LI-484")
def test_a_rule_that_comes_with_a_known_batch_holds_too() -> None:
    """The bytes change nothing, and what was said of the app is kept: nobody is told otherwise."""
    here = world()
    known = batch({"run_id": "a"})
    ingest(known, here.house)

    again = ingest(known, here.house, dedupe=Dedupe(is_strict=True))

    here.clock.advance(3 * 86_400)
    assert (again.is_repeated, take(here, "a").duplicates) == (True, 1)
    with pytest.raises(UsageError, match="cannot be taken back"):
        ingest(known, here.house, dedupe=Dedupe())
