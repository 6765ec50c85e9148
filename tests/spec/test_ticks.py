# SPDX-License-Identifier: Apache-2.0
"""Many rollouts, and many buckets, are ticked: docs/spec.md, The line, Ticks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.receipt import Actor
from lockgate.core.trial import Chain, Trial, looked
from lockgate.errors import TryAgainError, UnsoundError
from lockgate.operations import tick_all as grouping
from lockgate.operations.asking.queries import explain
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.line import reading
from lockgate.operations.tick import Turn, tick, turn_in
from lockgate.operations.tick_all import tick_all
from lockgate.operations.vault.keeping import writing
from lockgate.ports.house import House
from lockgate.ports.store import Transaction
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import APP, EQUAL, created, predicate, receipts, trial_of, verified, world


def shadows(here: World, count: int) -> list[str]:
    """Return the ids of so many rollouts that only watch."""
    return [created(here, candidate=f"build-{number}", policy={"mode": "shadow"}).rollout.id for number in range(count)]


@pytest.mark.clause("LI-111")
def test_several_turns_share_a_transaction_and_a_checkpoint() -> None:
    """Each turn has its receipt, and each receipt verifies in the log."""
    here = world()
    ids = shadows(here, grouping.MAX_TURNS + 3)

    took = tick_all(here.house)

    with here.house.store.reading() as seen:
        covered = [size for size in range(len(ids) + 1, 2 * len(ids) + 1) if seen.checkpoint(size) is not None]
    assert ([turn.rollout.id for turn in took.turns], took.problems) == (ids, ())
    assert covered == [len(ids) + grouping.MAX_TURNS, 2 * len(ids)]
    assert all(verified(here.house, receipts(here.house, each)[1]).entry for each in (ids[0], ids[7], ids[-1]))


@pytest.mark.tampers
@pytest.mark.clause("LI-111")
def test_a_rollout_that_cannot_take_its_turn_stops_no_other(tmp_path: Path) -> None:
    """It is named with its reason and stands as it did, and the others' turns are kept."""
    here = World(sqlite_store(tmp_path), 1)
    first, broken, last = shadows(here, 3)
    with sqlite3.connect(tmp_path / "lockgate.db") as beside:
        beside.execute("UPDATE rollouts SET trial = x'c1' WHERE id = ?", (broken,))

    took = tick_all(here.house)

    (problem,) = took.problems
    assert [turn.rollout.id for turn in took.turns] == [first, last]
    assert (problem.rollout_id, type(problem.error)) == (broken, UnsoundError)
    assert [len(receipts(here.house, each)) for each in (first, broken, last)] == [2, 1, 2]


@pytest.mark.clause("LI-111")
def test_a_fault_in_one_turn_undoes_that_turn_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the others came to is kept, also when the fault comes after the receipt was written."""
    here = world()
    first, broken, last = shadows(here, 3)

    def turn_of(work: Transaction, rollout_id: str, house: House, actor: Actor) -> Turn | None:
        turn = turn_in(work, rollout_id, house, actor)
        assert rollout_id != broken, "found in the test"
        return turn

    monkeypatch.setattr(grouping, "turn_in", turn_of)

    took = tick_all(here.house)

    (problem,) = took.problems
    assert "AssertionError: found in the test" in problem.error.message
    assert [len(receipts(here.house, each)) for each in (first, broken, last)] == [2, 1, 2]


@pytest.mark.clause("LI-111")
def test_what_was_kept_before_the_store_failed_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rollout that did not come to its turn is named, and nothing of the failed transaction is there."""
    here = world()
    ids = shadows(here, 5)
    opened = []

    @contextmanager
    def failing(house: House) -> Iterator[Transaction]:
        opened.append(house)
        with writing(house) as work:
            yield work
            if len(opened) == 2:
                raise TryAgainError("held", advice="Try again.")

    monkeypatch.setattr(grouping, "writing", failing)
    monkeypatch.setattr(grouping, "MAX_TURNS", 2)

    took = tick_all(here.house)

    assert [turn.rollout.id for turn in took.turns] == ids[:2]
    assert [problem.rollout_id for problem in took.problems] == ids[2:]
    assert [len(receipts(here.house, each)) for each in ids] == [2, 2, 1, 1, 1]


@pytest.mark.clause("LI-112")
def test_many_unread_buckets_are_read_in_parts_and_decided_on_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision, the state and the buckets that its receipt binds are those of reading at once."""
    here, at_once = world(), world()
    rollout, _ = (created(each).rollout for each in (here, at_once))
    for each in (here, at_once):
        for _ in range(25):
            ingest(each.batch(APP, {"v36": 300, "abc123": 30}, EQUAL), each.house)
            each.clock.advance(60)
    whole = tick(rollout.id, at_once.house)
    most = 0
    read_on = reading.read_on

    def counted(*words: Any) -> reading.ReadOn:
        nonlocal most
        read = read_on(*words)
        most = max(most, len(read.buckets))
        return read

    monkeypatch.setattr(reading, "AT_ONCE", 4)
    monkeypatch.setattr("lockgate.operations.line.current.AT_ONCE", 4)
    monkeypatch.setattr("lockgate.operations.line.current.read_on", counted)

    turn = tick(rollout.id, here.house)

    assert most == 4
    assert (turn.transition.decision, turn.verdict) == (whole.transition.decision, whole.verdict)
    assert _read(trial_of(here, rollout.id)) == _read(trial_of(at_once, rollout.id))


@pytest.mark.clause("LI-112")
def test_while_a_rollout_reads_on_nothing_is_decided() -> None:
    """A question about it answers as the tick that has read everything will."""
    here = world()
    rollout = created(here).rollout
    for _ in range(reading.AT_ONCE + 20):
        ingest(here.batch(APP, {"v36": 4, "abc123": 1}, EQUAL), here.house)
        here.clock.advance(60)

    said = explain(rollout.id, here.house)
    took = tick_all(here.house)

    trial = trial_of(here, rollout.id)
    assert took.turns[0].transition.decision == said.decision
    assert trial.progress == said.trial.progress
    # The first transaction only read on: it left neither look nor receipt.
    assert (trial.turn, trial.chain.looks + trial.chain.seq - 1, len(took.turns)) == (3, 1, 1)


def _read(trial: Trial) -> object:
    return trial.progress, trial.rollout, trial.chain.state, trial.chain.bucket


@pytest.mark.clause("LI-24")
def test_a_receipt_binds_the_looks_that_are_kept() -> None:
    """Whoever has the looks since the receipt before comes to the count and the digest that it signs."""
    here = world()
    rollout = created(here).rollout
    for _ in range(150):
        here.clock.advance(60)
        tick(rollout.id, here.house)

    with here.house.store.reading() as seen:
        looks = list(seen.looks(rollout.id))
    told = []
    for receipt in receipts(here.house, rollout.id):
        bound = predicate(receipt)["evidence"]["looks"]
        chain = Chain(state="")
        for look in looks[: bound["count"]]:
            chain = looked(chain, look)
        del looks[: bound["count"]]
        told.append((bound["sha256"] and f"sha256:{bound['sha256']}", chain.looks_digest))

    assert [signed for signed, _ in told] == [again for _, again in told]
    assert (len(told), told[0], len(looks)) == (3, (None, None), trial_of(here, rollout.id).chain.looks)
