# SPDX-License-Identifier: Apache-2.0
"""Batches that are kept at once come in; that they come to what each comes to alone is held here."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lockgate import crash_point
from lockgate.core.batch import Ingested, RunBatch
from lockgate.errors import LockgateError, NotPermittedError, UsageError
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.ports.house import House
from lockgate.ports.store import Store
from lockgate.testing.world import World
from lockgate.wiring import memory_store, postgres_store, run_batches, sqlite_store
from tests.postgresql import Cluster
from tests.spec.line import created

APPS = ("claims-agent", "billing")
ROUNDS, BATCHES, RUNS = 12, 5, 12
FUTURE = "2099-01-01T00:00:00Z"


def _run(draw: random.Random, number: int) -> dict[str, Any]:
    """Return a run: of few releases and labels, or of one of so many that some find no room."""
    run: dict[str, Any] = {
        "app_id": draw.choice(APPS),
        "release": draw.choice(("v1", "v2", f"v{draw.randrange(60)}")),
        "status": draw.choice(("ok", "ok", "error")),
        "labels": {"region": draw.choice(("eu", "us", f"zone-{draw.randrange(200)}"))},
    }
    if draw.random() < 0.9:
        run["run_id"] = f"run-{number}"
    if draw.random() < 0.7:
        run["latency_ms"] = draw.randrange(1, 5_000) / 10
    if draw.random() < 0.3:
        run["scores"] = {"safe": draw.random() < 0.9, "grounded": round(draw.random(), 3)}
    return run


def _spoil(draw: random.Random, runs: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> None:
    """Let something be about a batch that is found by a look at its runs."""
    run = draw.choice(runs)
    run.update(
        draw.choice(
            (
                {"started_at": FUTURE},
                {"release": " "},
                {"flags": {"dark-mode": "on"}},
                {"probe_id": f"probe-{draw.randrange(3)}"},
                {name: text for name, text in draw.choice(earlier).items() if name in ("run_id", "app_id", "release")},
                {"run_id": runs[0].get("run_id", "none"), "app_id": runs[0]["app_id"], "release": "v9"},
            )
        )
    )


def _groups(seed: int) -> list[list[RunBatch]]:
    """Return groups of batches, of every second one of which something is odd, and some bytes come twice."""
    draw = random.Random(seed)  # noqa: S311 -- no secret
    numbers, found, earlier = iter(range(100_000)), list[list[RunBatch]](), list[dict[str, Any]]()
    for _ in range(ROUNDS):
        bodies: list[bytes] = []
        is_odd = draw.random() < 0.5
        for _ in range(BATCHES):
            runs = [_run(draw, next(numbers)) for _ in range(RUNS)]
            earlier += runs
            if is_odd and draw.random() < 0.3:
                _spoil(draw, runs, earlier)
            bodies.append("".join(json.dumps(run) + "\n" for run in runs).encode())
        if is_odd and draw.random() < 0.3:
            bodies.append(draw.choice(bodies))
        if found and draw.random() < 0.2:
            bodies[0] = draw.choice(found[-1]).body
        found.append([run_batches().decode(body, None) for body in bodies])
    return found


def _alone(batch: RunBatch, house: House) -> Ingested | LockgateError:
    try:
        return ingest(batch, house)
    except LockgateError as error:
        return error


def _said(found: Ingested | LockgateError) -> Ingested | tuple[type, str]:
    return (type(found), found.message) if isinstance(found, LockgateError) else found


def _stored(house: House) -> dict[str, object]:
    """Return all that follows from runs."""
    with house.store.reading(house.org) as seen:
        batches = seen.batches_before(2**62, "", 1_000)
        found: dict[str, object] = {"batches": sorted(batches, key=lambda each: each.digest)}
        for app in seen.apps():
            slots = seen.slots(app.name, -1, 1_000)
            cells = [seen.cells(app.name, slot.number, slot.number) for slot in slots]
            found[app.name] = (
                app,
                slots,
                [sorted(of_slot, key=lambda cell: (cell.release, cell.labels)) for of_slot in cells],
                [seen.pairs(app.name, slot.number, slot.number) for slot in slots],
                [(each.name, seen.left_out(app.name, each.name)) for each in seen.releases(app.name)],
            )
    return found


def _compared(together: Store, alone: Store, seed: int) -> int:
    """Take the same batches in both ways, check that nothing differs, and return how many counted."""
    here, there = World(together), World(alone)
    counted = 0
    for number, group in enumerate(_groups(seed)):
        found = ingest_together(group, here.house)
        assert list(map(_said, found)) == [_said(_alone(batch, there.house)) for batch in group]
        counted += sum(each.runs for each in found if isinstance(each, Ingested))
        for world in (here, there):
            world.clock.advance(7 if number % 8 else 700)
    assert _stored(here.house) == _stored(there.house)
    return counted


@pytest.mark.clause("SV-900")
@pytest.mark.parametrize("seed", range(6))
def test_batches_that_are_kept_at_once_come_to_what_each_comes_to_alone(tmp_path: Path, seed: int) -> None:
    """Also where runs came before, name flags or probes, or find no room, and where a batch is refused."""
    stores: Sequence[tuple[Store, Store]] = (
        (memory_store(), memory_store()),
        (sqlite_store(tmp_path / "a"), sqlite_store(tmp_path / "b")),
    )

    counted = [_compared(*pair, seed) for pair in stores]

    assert counted[0] == counted[1] > ROUNDS * RUNS


@pytest.mark.postgres
@pytest.mark.clause("SV-900")
@pytest.mark.parametrize("seed", range(2))
def test_so_do_they_on_postgresql(postgresql: Cluster, seed: int) -> None:
    """Each in a database of its own."""
    assert _compared(postgres_store(postgresql.new_database()), memory_store(), seed)


@pytest.mark.clause("SV-900")
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_bucket_that_holds_so_many_runs_of_a_candidate_is_sealed_after_the_batch_that_fills_it(
    tmp_path: Path, store: str
) -> None:
    """The batches behind it join the next bucket, as they do alone."""
    stores = [memory_store() if store == "memory" else sqlite_store(tmp_path / name) for name in ("a", "b")]
    here, there = worlds = [World(each, 1) for each in stores]
    for world in worlds:
        created(world, candidate="v1", policy={"bucket_runs": 2 * RUNS})
    group = [_plain(number) for number in range(5)]

    found = ingest_together(group, here.house)

    assert found == [ingest(batch, there.house) for batch in group]
    assert _stored(here.house) == _stored(there.house)
    with here.house.store.reading() as seen:
        assert [slot.is_sealed for slot in seen.slots(APPS[0], -1, 10)] == [True, True, False]


def _plain(number: int) -> RunBatch:
    runs = [{"app_id": APPS[0], "release": "v1", "status": "ok", "run_id": f"{number}-{run}"} for run in range(RUNS)]
    return run_batches().decode("".join(json.dumps(run) + "\n" for run in runs).encode(), None)


@pytest.mark.clause("SV-900")
@pytest.mark.parametrize("fault", [UsageError, NotPermittedError])
def test_what_one_batch_may_not_do_fails_no_other(fault: type[LockgateError]) -> None:
    """The one pass over all of them is given up, and each is kept alone."""
    here, there = World(memory_store()), World(memory_store())
    group = [_plain(number) for number in range(3)]
    faults = [fault("it may not")]

    def refuse(name: str) -> None:
        if name == "ingest.tallied" and faults:
            raise faults.pop()

    crash_point.handle(refuse)
    try:
        found = ingest_together(group, here.house)
    finally:
        crash_point.handle(None)

    assert not faults
    assert found == [ingest(batch, there.house) for batch in group]
    assert _stored(here.house) == _stored(there.house)


@pytest.mark.clause("SV-901")
def test_batches_without_anything_odd_are_tallied_in_one_pass(tmp_path: Path) -> None:
    """What several come to is one row beside the cells of their bucket, and one of the ids that are known."""
    here = World(sqlite_store(tmp_path))

    found = ingest_together([_plain(number) for number in range(4)], here.house)

    with closing(sqlite3.connect(tmp_path / "lockgate.db")) as control:
        rows = [control.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("tallies", "id_window")]  # noqa: S608 -- the tables of this line
    assert [each.runs for each in found if isinstance(each, Ingested)] == [RUNS] * 4
    assert rows == [1, 1]
