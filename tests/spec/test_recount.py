# SPDX-License-Identifier: Apache-2.0
"""Raw runs of every kind, and cells that somebody made nicer, come in; a check that tallies again must tell which."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.store import CONTROL, SqliteStore
from lockgate.core.app import MAX_RELEASES, App
from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.bucket import Bucket, Events
from lockgate.core.retention import Retention
from lockgate.core.soundness.flaw import Rule
from lockgate.core.spine import seal
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune, retained
from lockgate.operations.soundness.fsck import Soundness, fsck
from lockgate.ports.store import Store
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store, run_batches
from tests.spec.line import APP, at, batch, created, world

STATUSES = ("ok", "error", "timeout", "cancelled")


def checked(here: World) -> Soundness:
    """Check a store, and tally its raw runs again."""
    return fsck(here.house, decode=run_batches().decode)


def runs(drawn: Random, count: int, releases: int = 3) -> list[dict[str, Any]]:
    """Return runs of all kinds: with and without ids that come again, labels, flags, times, scores and latencies."""
    return [
        {
            "app_id": drawn.choice((APP, "other")),
            # A run that comes again is of the same release and variant.
            "release": f"v{number % releases}",
            "status": drawn.choice(STATUSES),
            **({"run_id": f"r{number}"} if drawn.random() < 0.5 else {}),
            **({"labels": {"zone": str(drawn.randrange(90))}} if drawn.random() < 0.3 else {}),
            **({"flags": {"dark": ("on", "off")[number % 2]}} if drawn.random() < 0.3 else {}),
            **({"latency_ms": drawn.lognormvariate(4, 2)} if drawn.random() < 0.8 else {}),
            **({"scores": {"good": drawn.random() < 0.9}} if drawn.random() < 0.3 else {}),
            **({"started_at": at(-drawn.randrange(30))} if drawn.random() < 0.7 else {}),
        }
        for number in (drawn.randrange(999) for _ in range(count))
    ]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Return a world on a store in files."""
    store = SqliteStore(tmp_path)
    yield World(store, 1)
    store.close()


@pytest.mark.clause("LI-435")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_what_was_ingested_adds_up(here: World, kind: str, seed: int) -> None:
    """Live and imported, with ids that come again, flags, and more labels and releases than have room."""
    drawn = Random(seed)  # noqa: S311 -- the same runs in every test
    store: Store = memory_store() if kind == "memory" else here.house.store
    there = World(store, 1)
    created(there)
    for number in range(8):
        some = batch(*runs(drawn, 120, releases=3 if seed % 2 else 2 * MAX_RELEASES))
        ingest(some, there.house, by_start_time=number % 2 == 1)
        there.clock.advance(drawn.choice((0, 20, 90)))

    found = checked(there)

    assert found.flaws == ()
    assert found.counted["batches tallied again"] == 8
    assert found.unknown == ()


def changed(folder: Path, here: World, change: Callable[[Bucket], Bucket]) -> None:
    """Change the buckets of the candidate and seal their slots anew, as whoever has the file can."""
    with here.house.store.reading() as seen:
        slots = [slot for slot in seen.slots(APP) if slot.is_sealed]
        with closing(sqlite3.connect(folder / CONTROL, isolation_level=None)) as file:
            kept = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in kept:
                file.execute(f"DROP TRIGGER {name}")
            for slot in slots:
                cells = [
                    replace(cell, bucket=change(cell.bucket)) if cell.release == "abc123" else cell
                    for cell in seen.cells(APP, slot.number, slot.number)
                ]
                assert slot.sealed_at is not None
                unsealed = replace(slot, sealed_at=None, digest=None)
                again = seal(unsealed, cells, seen.segments(APP, slot.number), slot.sealed_at)
                file.execute("UPDATE slots SET digest = ? WHERE number = ?", (again.digest, slot.number))
                for cell in cells:
                    key = (slot.number, cell.release, msgspec.msgpack.encode(cell.labels))
                    sql = "UPDATE cells SET body = ? WHERE number = ? AND release = ? AND labels = ?"
                    file.execute(sql, (pack(cell.bucket), *key))
            for _, sql in kept:
                file.execute(sql)


def nicer(bucket: Bucket) -> Bucket:
    """Return a bucket in which errors went well."""
    good = {"ok": bucket.runs}
    return replace(bucket, statuses=good, events={**bucket.events, "error_rate": Events(bucket.runs, 0)})


def unseen(bucket: Bucket) -> Bucket:
    """Return a bucket whose gates read no error, whatever its statuses say."""
    return replace(bucket, events={**bucket.events, "error_rate": Events(bucket.runs, 0)})


def faster(bucket: Bucket) -> Bucket:
    """Return a bucket whose slowest runs moved to the bin of the fastest."""
    values = bucket.values["latency_ms"]
    (first, count), *rest = values.bins
    moved = ((first, count + rest[-1][1]), *rest[:-1], (rest[-1][0], 0))
    return replace(bucket, values={"latency_ms": replace(values, bins=moved)})


@pytest.mark.clause("LI-435")
@pytest.mark.parametrize("change", [nicer, unseen, faster])
def test_tallies_that_are_nicer_than_the_raw_runs_are_named(
    here: World, tmp_path: Path, change: Callable[[Bucket], Bucket]
) -> None:
    """Sealed anew they agree with their digest; the raw runs that are still kept do not."""
    for number in range(3):
        some = [
            {"release": "abc123", "status": "error" if run % 3 else "ok", "latency_ms": 9 * run} for run in range(99)
        ]
        ingest(batch(*some, {"run_id": str(number)}), here.house)
        here.clock.advance(90)
    ingest(batch({}), here.house)
    sound = checked(here)

    changed(tmp_path, here, change)

    assert sound.flaws == ()
    flaws = checked(here).flaws
    assert {flaw.rule for flaw in flaws} == {Rule.EVIDENCE}
    assert any("of abc123 its tallies have" in flaw.what for flaw in flaws)
    assert fsck(here.house).flaws == ()


def forged(true: RunBatch) -> World:
    """Return a world that has tallied only what went well of a batch, and calls the rest known already."""
    there, here = world(), world()
    lines = true.body.splitlines(keepends=True)
    ingest(run_batches().decode(b"".join(line for line in lines if b"error" not in line), None), there.house)
    bits = np.packbits(np.array([b"error" in line for line in lines])).tobytes()
    with there.house.store.reading() as seen, here.house.store.writing() as work:
        runs = sum(cell.bucket.runs for cell in seen.cells(APP, 0, 0))
        work.put_app(App(name=APP))
        work.put_slot(APP, seen.slots(APP)[0])
        work.put_cells(APP, seen.cells(APP, 0, 0))
        row = Ingested(digest=true.digest, at=here.clock.now(), runs=runs, apps={APP: runs}, uncounted=bits)
        work.add_batch(row, true.body, [(APP, 0)])
    return here


@pytest.mark.clause("LI-444")
@pytest.mark.parametrize("has_ids", [True, False])
def test_runs_that_are_only_said_to_be_known_already_are_named(*, has_ids: bool) -> None:
    """Whoever leaves errors out of the tallies and calls them known has no run that counted to show for them."""
    some = [{"release": "abc123", "status": "error" if run % 2 else "ok"} for run in range(40)]
    named = [{**run, "run_id": str(number)} if has_ids else run for number, run in enumerate(some)]
    honest = world()
    ingest(batch(*named, *(named[:7] if has_ids else [])), honest.house)

    found = checked(forged(batch(*named)))

    assert checked(honest).flaws == ()
    assert sum("runs of abc123 are left out as known already" in flaw.what for flaw in found.flaws) == 1


@pytest.mark.clause("LI-444")
def test_a_batch_that_is_said_to_be_known_already_as_a_whole_is_named() -> None:
    """No bucket names it, and none of its runs counted elsewhere; sent again in other bytes it is no flaw."""
    honest, here = world(), world()
    some = [{"release": "abc123", "status": "error", "run_id": str(number)} for number in range(5)]
    for there in (honest, here):
        ingest(batch({}), there.house)
    ingest(batch(*some), honest.house)
    ingest(batch(*reversed(some)), honest.house)
    with here.house.store.writing() as work:
        work.add_batch(Ingested(digest=batch(*some).digest, at=here.clock.now(), runs=0), batch(*some).body, [])

    assert checked(honest).flaws == ()
    assert ["are left out as known already" in flaw.what for flaw in checked(here).flaws] == [True]


@pytest.mark.clause("LI-435")
def test_raw_runs_that_are_kept_no_longer_are_no_flaw(here: World, tmp_path: Path) -> None:
    """What is gone cannot be tallied again, which is said."""
    ingest(batch({}), here.house)
    here.clock.advance(15 * 86_400)
    ingest(batch({}, {}), here.house)
    prune(here.house, retained(here.house))

    found = checked(here)

    assert found.flaws == ()
    assert found.unknown == ("the tallies of 1 buckets, whose raw runs are not all kept",)


@pytest.mark.clause("LI-444")
def test_runs_that_are_known_by_raw_runs_that_went_are_no_flaw() -> None:
    """The first of two batches may be pruned before the second is."""
    here = world()
    ingest(batch({"run_id": "1"}), here.house)
    here.clock.advance(300)
    ingest(batch({"run_id": "1"}, {"run_id": "2"}), here.house)
    here.clock.advance(3_600)
    ingest(batch({}), here.house)

    prune(here.house, Retention(raw_s=3_600, buckets_s=3_600))

    assert checked(here).flaws == ()


@pytest.mark.clause("LI-435")
def test_a_body_that_is_no_runs_is_named() -> None:
    """Also where its digest is right."""
    made_up = World(memory_store(), 2)
    ingest(made_up.batch(APP, {"v36": 3}, {"v36": Law()}), made_up.house)

    assert ["its raw runs are none" in flaw.what for flaw in checked(made_up).flaws] == [True]
