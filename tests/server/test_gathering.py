# SPDX-License-Identifier: Apache-2.0
"""Batches of runs that come at once come in; that each is kept as if it came alone is held here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lockgate.core.batch import Ingested, RunBatch
from lockgate.errors import DataError, UnreachableError
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.house import House
from lockgate.ports.store import Store, Transaction
from lockgate.server import gathering
from lockgate.server.gathering import Gathering, SentBatch
from lockgate.testing.world import World
from lockgate.wiring import memory_store, run_batches, sqlite_store
from tests.server.served import API, NDJSON, served
from tests.spec.line import created

APP, MANY = "claims-agent", 12
FUTURE = "2099-01-01T00:00:00Z"


class Slow:
    """A store whose first transaction waits to be let go, and which counts them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_begun, self.may_go = threading.Event(), threading.Event()
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self, org: str = "default", spines: Sequence[str] | None = None) -> Iterator[Transaction]:
        """Open a transaction."""
        self.transactions += 1
        with self._store.writing(org, spines) as work:
            self.is_begun.set()
            assert self.may_go.wait(60)
            yield work


def _batch(number: int, **fields: Any) -> RunBatch:
    runs = [
        {"app_id": APP, "release": "v36", "status": "ok", "run_id": f"{number}-{each}", "latency_ms": each, **fields}
        for each in range(10)
    ]
    return run_batches().decode("".join(json.dumps(run) + "\n" for run in runs).encode(), None)


def _sent(batch: RunBatch) -> SentBatch[Ingested]:
    return SentBatch(
        lines=batch.columns.runs, size=len(batch.body), decode=lambda: batch, tell=lambda came, _notes: came
    )


def _stores(folder: Path) -> list[Store]:
    return [memory_store(), sqlite_store(folder)]


def _taken(house: House, batches: Sequence[RunBatch]) -> tuple[list[Ingested | Exception], int]:
    """Return what batches came to that were sent while another was being kept, and in how many transactions."""
    slow = Slow(house.store)
    own, together = replace(house, store=slow), Gathering()

    def take(batch: RunBatch) -> Ingested | Exception:
        try:
            return together.take(_sent(batch), own)
        except Exception as error:  # noqa: BLE001 -- what each came to is asked
            return error

    with ThreadPoolExecutor(len(batches) + 1) as pool:
        first = pool.submit(take, _batch(-1))
        assert slow.is_begun.wait(60)
        calls = []
        for number, batch in enumerate(batches, 2):
            calls.append(pool.submit(take, batch))
            while len(together._waiting[house.org]) < number:
                threading.Event().wait(0.001)
        slow.may_go.set()
        found = [call.result(60) for call in calls]
        assert isinstance(first.result(60), Ingested)
    return found, slow.transactions


def _tallied(house: House) -> object:
    with house.store.reading(house.org) as seen:
        slots = seen.open_slots(APP)
        return [(slot, seen.run_counts(APP, slot.number)) for slot in slots], seen.left_out(APP, "v36")


@pytest.mark.clause("SV-170")
@pytest.mark.parametrize("place", [0, 1])
def test_batches_that_wait_are_kept_at_once_as_if_each_came_alone(tmp_path: Path, place: int) -> None:
    """One transaction for all who came while one was being kept, and what each came to is its own."""
    here, alone = (World(_stores(tmp_path / name)[place], 1) for name in ("a", "b"))
    batches = [_batch(number % (MANY - 1)) for number in range(MANY)]

    found, transactions = _taken(here.house, batches)

    ingest(_batch(-1), alone.house)
    assert found == [ingest(batch, alone.house) for batch in batches]
    assert transactions == 2
    assert _tallied(here.house) == _tallied(alone.house)


@pytest.mark.clause("SV-171")
@pytest.mark.parametrize("place", [0, 1])
def test_a_batch_with_a_fault_among_others_is_refused_alone(tmp_path: Path, place: int) -> None:
    """Its caller is told, the others count, and a check of the store finds it whole."""
    here = World(_stores(tmp_path)[place], 1)
    batches = [_batch(1), _batch(2, started_at=FUTURE), _batch(3), _batch(1), _batch(4, release=" ")]

    found, _ = _taken(here.house, batches)

    assert [type(each) for each in found] == [Ingested, DataError, Ingested, Ingested, DataError]
    assert [each.is_repeated for each in found if isinstance(each, Ingested)] == [False, False, True]
    with here.house.store.reading() as seen:
        (slot,) = seen.open_slots(APP)
        assert seen.run_counts(APP, slot.number) == {"v36": 30}
    assert fsck(here.house, decode=run_batches().decode).flaws == ()


@pytest.mark.clause("SV-171")
def test_where_the_store_fails_every_caller_is_told_and_nothing_is_kept() -> None:
    """Those who come after are kept again."""
    here = World(memory_store(), 1)

    class Failing(Slow):
        @contextmanager
        def writing(self, org: str = "default", spines: Sequence[str] | None = None) -> Iterator[Transaction]:
            if self.transactions == 1:
                self.transactions += 1
                raise UnreachableError("the disk is full")
            with super().writing(org, spines) as work:
                yield work

    slow = Failing(here.house.store)
    own, together = replace(here.house, store=slow), Gathering()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(together.take, _sent(_batch(1)), own)
        assert slow.is_begun.wait(60)
        others = [pool.submit(together.take, _sent(_batch(number)), own) for number in (2, 3)]
        while len(together._waiting["default"]) < 3:
            threading.Event().wait(0.001)
        slow.may_go.set()
        failures = [other.exception(60) for other in others]

    assert first.result(60).runs == 10
    assert [type(each) for each in failures] == [UnreachableError, UnreachableError]
    assert together.take(_sent(_batch(2)), own).runs == 10


@pytest.mark.clause("SV-170")
def test_what_is_kept_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a tick waits for no more than so many batches."""
    monkeypatch.setattr(gathering, "MAX_BATCHES", 4)
    here = World(memory_store(), 1)

    found, transactions = _taken(here.house, [_batch(number) for number in range(9)])

    # The first, and nine by four at a time.
    assert transactions == 4
    assert all(isinstance(each, Ingested) and each.runs == 10 for each in found)


@pytest.mark.clause("SV-171")
def test_batches_in_one_transaction_keep_their_order_and_their_own_outcomes(tmp_path: Path) -> None:
    """A run that two of them hold counts for the first."""
    here = World(sqlite_store(tmp_path), 1)
    both = [_batch(1), _batch(1, status="error"), _batch(2)]

    found = ingest_together(both, here.house)

    assert [(each.runs, each.duplicates) for each in found if isinstance(each, Ingested)] == [(10, 0), (0, 10), (10, 0)]


@pytest.mark.clause("SV-173")
def test_reads_are_answered_while_the_largest_batch_is_taken(tmp_path: Path) -> None:
    """A batch of 64 MiB, each run of which is looked at by itself, keeps nobody from looking."""
    here = World(sqlite_store(tmp_path), 1)
    name = created(here).rollout.id
    run = {"app_id": APP, "release": "v36", "status": "ok", "labels": {"note": "é" * 660}, "flags": {"f": "on"}}
    line = (json.dumps(run, ensure_ascii=False) + "\n").encode()
    body = line * min(45_000, (64 << 20) // len(line))
    with served(here) as door, ThreadPoolExecutor(1) as pool:
        admin = door.caller("admin")
        url, headers = f"{door.http.base_url}{API}/runs", {**NDJSON, "authorization": f"Bearer {admin.token}"}
        batch = pool.submit(httpx.post, url, content=body, headers=headers, timeout=120, trust_env=False)
        answered = 0
        while not batch.done():
            assert admin.get(f"{API}/rollouts/{name}").status_code == 200
            answered += not batch.done()

    assert batch.result().json()["runs"] == len(body) // len(line)
    assert answered >= 3
