# SPDX-License-Identifier: Apache-2.0
"""Many processes on one store come in, some of which are killed; what they were told must be there, once."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from lockgate.ports.house import House
from tests.faults import steps, workers
from tests.faults.homes import Homes
from tests.faults.process import DONE, started

Lengths = Callable[[float, float], float]
Counts = Callable[[str, int], None]
# Nothing hangs for longer than a store waits for others.
PATIENCE_S = 120.0
# So many sealed buckets that were watched, and so many kills, say something.
ENOUGH, ENOUGH_KILLS = 5, 20


def _joined(processes: list[BaseProcess]) -> list[int | None]:
    for process in processes:
        process.join(PATIENCE_S)
    return [process.exitcode for process in processes]


def _revision(house: House) -> int:
    with house.store.reading(house.org) as seen:
        (rollout,) = seen.rollouts()
    return rollout.revision


def _watched(house: House, sealed: dict[int, str | None]) -> int:
    """Compare sealed buckets with what they were when they were seen first; return how many there are."""
    with house.store.reading(house.org) as seen:
        for slot in seen.slots(steps.APP):
            if slot.is_sealed:
                assert sealed.setdefault(slot.number, slot.digest) == slot.digest
    return len(sealed)


def _kept(folder: Path, said: list[dict[str, Any]]) -> int:
    """Return how many transitions a store holds, in which everything that anybody was told is found once."""
    house = steps.house_of(folder)
    with house.store.reading(house.org) as seen:
        (trial,) = [seen.trial(each.id) for each in seen.rollouts()]
        assert trial is not None
        receipts = seen.receipts(trial.rollout.id)
        taken = Counter(each["digest"] for each in said if "digest" in each and not each["repeated"])
        assert set(taken.values()) <= {1}
        assert [digest for digest in taken if seen.ingested(digest) is None] == []
    by_revision = {receipt.revision for receipt in receipts}
    assert {each["revision"] for each in said if "revision" in each} <= by_revision
    assert [receipt.seq for receipt in receipts] == list(range(1, len(receipts) + 1))
    assert trial.rollout.revision == len(by_revision)
    return len(by_revision) - 1


@pytest.mark.clause("LI-130", "SV-1024")
def test_of_eight_tickers_each_turn_has_one(homes: Homes, tmp_path: Path, seconds: Lengths, count: Counts) -> None:
    """While runs flow, losers change nothing and fail by nothing but that another was first."""
    shift = workers.opened(homes.new(tmp_path), seconds(6, 60))
    processes = [started(workers.ticker, shift, f"ticker-{number}") for number in range(8)]
    processes.append(started(workers.ingester, shift, "ingester", 1))
    house = shift.house()
    while shift.lasts(is_enough=_revision(house) > 1):
        time.sleep(0.1)

    assert set(_joined(processes)) == {DONE}

    assert steps.flaws(tmp_path) == []
    said = workers.told(tmp_path)
    moved = _kept(tmp_path, said)
    assert moved >= 1
    count("turns of 8 tickers at once", len(said))
    count("transitions under them", moved)


@pytest.mark.clause("LI-130", "SV-1024")
def test_no_sealed_bucket_changes_under_four_ingesters_and_two_tickers(
    homes: Homes, tmp_path: Path, seconds: Lengths, count: Counts
) -> None:
    """What was seen sealed stays as it was seen, each batch counts once, and no run is lost."""
    shift = workers.opened(homes.new(tmp_path), seconds(6, 60))
    processes = [started(workers.ingester, shift, f"ingester-{number}", number) for number in range(4)]
    processes += [started(workers.ticker, shift, f"ticker-{number}") for number in range(2)]
    house, sealed = shift.house(), dict[int, str | None]()
    while shift.lasts(is_enough=len(sealed) > ENOUGH):
        _watched(house, sealed)
        time.sleep(0.02)

    assert set(_joined(processes)) == {DONE}

    assert _watched(house, sealed) > ENOUGH
    assert steps.flaws(tmp_path) == []
    said = workers.told(tmp_path)
    _kept(tmp_path, said)
    sent = sum(each["runs"] for each in said if "digest" in each and not each["repeated"])
    assert steps.standing(tmp_path)["runs"] == sent
    count("runs of 4 ingesters at once", sent)
    count("sealed buckets watched", len(sealed))


@pytest.mark.clause("LI-131", "SV-1024")
def test_processes_killed_at_random_lose_nothing_that_they_were_told(
    homes: Homes, tmp_path: Path, seconds: Lengths, count: Counts
) -> None:
    """Tickers and ingesters end by SIGKILL at any moment and begin again; the store is sound at every look."""
    shift = workers.opened(homes.new(tmp_path), seconds(10, 120))
    draw, kills = random.Random(7), 0  # noqa: S311 -- the same draws in every run
    works: dict[str, tuple[Any, ...]] = {f"ticker-{number}": (workers.ticker,) for number in range(3)}
    works |= {f"ingester-{number}": (workers.ingester, number) for number in range(2)}
    running: dict[str, BaseProcess] = {}
    while shift.lasts(is_enough=kills > ENOUGH_KILLS):
        for name, (work, *rest) in works.items():
            if name not in running or not running[name].is_alive():
                assert name not in running or running[name].exitcode in (DONE, -signal.SIGKILL)
                running[name] = started(work, shift, name, *rest)
        time.sleep(draw.uniform(0.02, 0.12))
        victim = running[draw.choice(sorted(running))]
        if victim.is_alive():
            victim.kill()
            kills += 1
            if kills % 20 == 0:
                assert steps.flaws(tmp_path) == []
    assert set(_joined(list(running.values()))) <= {DONE, -signal.SIGKILL}

    assert steps.flaws(tmp_path) == []
    said = workers.told(tmp_path)
    moved = _kept(tmp_path, said)
    assert kills > ENOUGH_KILLS
    count("processes killed at random", kills)
    count("transitions among them", moved)
