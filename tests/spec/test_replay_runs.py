# SPDX-License-Identifier: Apache-2.0
"""Raw runs that were damaged, deleted or exchanged come in; `--from-runs` names the batch, and counts the rest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.core.instant import instant_text
from lockgate.core.retention import Retention
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.replay.replay import replay_stored
from lockgate.operations.replay.runs import Recounted, recounted
from lockgate.operations.retention.prune import prune
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.wiring import run_batches
from tests.spec.line import batch, created

BATCHES, DAY_S = 4, 86_400


def untold(_what: str, _number: int) -> None:
    """Take progress."""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Return a world on a store in files."""
    store = SqliteStore(tmp_path)
    yield World(store, 1)
    store.close()


def lived(here: World) -> tuple[str, tuple[str, ...]]:
    """Return the id of a rollout, and the digests of its batches."""
    rollout = created(here).rollout
    digests = []
    for number in range(BATCHES):
        some = batch({"run_id": f"a{number}"}, {"run_id": f"b{number}", "release": "abc123"})
        digests.append(some.digest)
        ingest(some, here.house)
        here.clock.advance(60)
    tick(rollout.id, here.house)
    return rollout.id, tuple(digests)


def changed(folder: Path, sql: str, digest: str) -> None:
    """Change the raw runs of a batch behind the store's back, wherever they rest."""
    for file in folder.glob("*.db"):
        with closing(sqlite3.connect(file)) as connection, connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('segments', 'held_segments')")
            for (table,) in names.fetchall():
                for (trigger,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
                ).fetchall():
                    connection.execute(f"DROP TRIGGER {trigger}")
                connection.execute(sql.format(table=table), (digest,))


def found(rollout: str, here: World) -> Recounted:
    """Count buckets again, beside decisions that are all equal."""
    again = replay_stored(rollout, here.house, untold)
    assert {outcome.result.value for outcome in again.outcomes} == {"equal"}
    return recounted(rollout, here.house, run_batches().decode, untold)


DAMAGED = "UPDATE {table} SET body = CAST(substr(body, 1, length(body) - 9) || zeroblob(9) AS BLOB) WHERE digest = ?"
EXCHANGED = "UPDATE {table} SET body = (SELECT max(body) FROM {table} WHERE digest <> ?1) WHERE digest = ?1"
DELETED = "DELETE FROM {table} WHERE digest = ?"


@pytest.mark.clause("RP-80")
@pytest.mark.parametrize("number", range(BATCHES))
@pytest.mark.parametrize(
    ("sql", "what"),
    [
        (DAMAGED, "its raw runs cannot be read, or are not the bytes that it is named by"),
        (EXCHANGED, "its raw runs cannot be read, or are not the bytes that it is named by"),
        (DELETED, "its raw runs are not there, and were not pruned"),
    ],
)
def test_one_batch_that_cannot_be_counted_is_named_and_the_rest_is_counted(
    here: World, tmp_path: Path, sql: str, what: str, number: int
) -> None:
    """By its digest and time; its buckets are not called pruned."""
    rollout, digests = lived(here)
    taken = here.house.store
    with taken.reading("default") as seen:
        row = seen.ingested(digests[number])
    assert row is not None
    changed(tmp_path, sql, digests[number])

    said = found(rollout, here)

    assert said.flaws == (f"batch {digests[number]}, taken {instant_text(row.at)}: {what}",)
    assert said.batches == BATCHES - 1
    lost = f"bucket {number} could not be counted again: raw runs of it are not there, or are not what was taken"
    assert said.left == (lost,)


@pytest.mark.clause("RP-80")
def test_what_was_pruned_is_told_apart_from_what_was_lost(here: World, tmp_path: Path) -> None:
    """Where both are in one bucket, it is lost."""
    rollout, digests = lived(here)
    here.clock.advance(2 * DAY_S)
    ingest(batch({"run_id": "later"}), here.house)
    prune(here.house, Retention(raw_s=DAY_S, buckets_s=90 * DAY_S))
    here.clock.advance(60)
    last = batch({"run_id": "last"})
    ingest(last, here.house)
    changed(tmp_path, DELETED, last.digest)

    said = found(rollout, here)

    assert [sentence.partition(", taken")[0] for sentence in said.flaws] == [f"batch {last.digest}"]
    pruned = f"buckets 0 to {BATCHES - 1} could not be counted again: raw runs of them were pruned"
    assert said.left[0] == pruned
    assert [sentence.partition(": ")[2] for sentence in said.left[1:]] == [
        "raw runs of it are not there, or are not what was taken"
    ]
    assert len(digests) == BATCHES


@pytest.mark.clause("RP-80")
def test_a_run_that_a_damaged_batch_may_explain_is_no_flaw(here: World, tmp_path: Path) -> None:
    """Whose runs came first nobody can tell then, and that is said."""
    rollout = created(here).rollout
    first = batch({"run_id": "same", "latency_ms": 1.0})
    ingest(first, here.house)
    here.clock.advance(60)
    ingest(batch({"run_id": "same", "latency_ms": 2.0}, {"run_id": "other"}), here.house)
    changed(tmp_path, DAMAGED, first.digest)

    said = found(rollout.id, here)

    assert [sentence.partition(", taken")[0] for sentence in said.flaws] == [f"batch {first.digest}"]
    assert "which runs explain those known already, because raw runs that may are damaged" in said.left
