# SPDX-License-Identifier: Apache-2.0
"""Many actors, a clock that jumps and faults: every rule of the line holds after every schedule: docs/spec.md."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lockgate.adapters.stores.memory.store import MemorySnapshot, MemoryTransaction
from lockgate.core.app import App
from lockgate.core.delivery import Carried, Delivery, settled
from lockgate.core.instant import Instant
from lockgate.core.receipt import Actor
from lockgate.core.retention import Retention
from lockgate.core.spine import Slot, seal
from lockgate.core.surroundings import situation
from lockgate.errors import TryAgainError
from lockgate.operations.line.reading import load
from lockgate.operations.retention.prune import MIN_S, prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.vault.app_series import AppStanding
from lockgate.operations.vault.telling import tell
from lockgate.testing.contents import Reader
from lockgate.testing.invariants import broken
from lockgate.testing.schedule import ScheduleOutcome, main, run_schedule
from lockgate.wiring import memory_store
from tests.spec.line import APP, EQUAL, created, world

# About ten seconds of them; the slow lane goes on where these end.
FEW, MANY = 250, 1_200
# Within so many schedules a mutant is found.
ENOUGH = 60


def outcomes(seeds: range) -> Iterator[ScheduleOutcome]:
    """Run schedules."""
    return (run_schedule(seed, memory_store()) for seed in seeds)


@pytest.mark.clause("LI-145")
def test_every_rule_holds_after_every_schedule() -> None:
    """Whoever interrupts whom, wherever a process ends and however the clock jumps."""
    reached: Counter[str] = Counter()
    for outcome in outcomes(range(FEW)):
        assert not outcome.broken, outcome.line
        reached += outcome.counts

    assert {"promote (satisfied)", "rollback (regression)", "rollback (kill)", "reduce (deadline)"} <= set(reached)
    assert {"ended as promoted", "ended as rolled_back", "ended as cancelled", "ended as paused"} <= set(reached)
    assert reached["faults"] >= FEW
    assert reached["apps"] > FEW
    assert min(reached[what] for what in ("runs known again", "buckets with pairs", "buckets pruned")) > 0
    assert {"set_actuator (operator)", "rollback (replaced)"} <= set(reached)


@pytest.mark.slow
@pytest.mark.clause("LI-145")
def test_every_rule_holds_after_many_schedules() -> None:
    """As above, on other seeds, and for longer."""
    for outcome in outcomes(range(FEW, FEW + MANY)):
        assert not outcome.broken, outcome.line


@pytest.mark.clause("LI-145")
@pytest.mark.parametrize("seed", [810_006_880, 810_008_502])
def test_a_prune_that_is_stopped_or_interrupted_breaks_no_rule(seed: int) -> None:
    """Between the mark of buckets and their drop; and by whoever seals a bucket that goes next."""
    outcome = run_schedule(seed, memory_store())

    assert not outcome.broken, outcome.line


@pytest.mark.clause("LI-145")
def test_buckets_that_are_marked_as_gone_and_still_there_break_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was to drop them was stopped; one that is missing among those that are kept is found all the same."""
    here = world()
    rollout = created(here).rollout
    here.walk(rollout.id, EQUAL, runs=2000, minutes=60)
    here.clock.advance(3 * MIN_S)
    here.serve_both(APP, {"v36": 90, "abc123": 90}, EQUAL, minutes=3)

    def stopped(*_: object) -> None:
        raise TryAgainError("another process holds the store", advice="Try again.")

    monkeypatch.setattr(MemoryTransaction, "drop_slots", stopped)
    with pytest.raises(TryAgainError):
        prune(here.house, Retention(raw_s=MIN_S, buckets_s=MIN_S))

    with here.house.store.reading() as seen:
        contents = Reader().read(seen, here.house.org)
        (app,) = contents.apps
        gap = {APP: tuple(slot for slot in contents.slots[APP] if slot.number != app.kept_from)}
        found, missed = broken(contents, seen), broken(replace(contents, slots=gap), seen)
    assert app.kept_from > contents.slots[APP][0].number
    assert (found, missed) == ([], [f"seal: the buckets of {APP} are out of order"])


@pytest.mark.clause("LI-146")
def test_a_schedule_has_many_steps_and_a_fault() -> None:
    """What nothing happens in proves nothing."""
    for outcome in outcomes(range(20)):
        assert (outcome.counts["steps"] >= 30, outcome.counts["faults"] >= 1) == (True, True)


@pytest.mark.clause("LI-146")
def test_a_seed_is_a_schedule(capsys: pytest.CaptureFixture[str]) -> None:
    """The printed line replays it: the same steps, and the same bytes in the log."""
    first = run_schedule(7, memory_store())

    code = main(["--seed", "7"])

    printed = capsys.readouterr().out
    assert code == 0
    assert first.root.hex() in printed
    assert all(step in printed for step in first.steps)
    assert first.line == "python -m lockgate.testing.schedule --seed 7  # every rule holds"


@pytest.mark.clause("LI-146")
def test_a_schedule_is_the_same_in_another_process() -> None:
    """Nothing rests on the order of a set or on a clock."""
    printed = [
        subprocess.run(
            [sys.executable, "-m", "lockgate.testing.schedule", "--seed", "11"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert printed[0] == printed[1]


@pytest.mark.clause("LI-125")
def test_a_champion_that_is_crowned_between_two_freezes_is_sound() -> None:
    """What happened to an app between two receipts of its own stands in its rollouts' receipts."""
    here, person = world(), Actor("person", "ops", "incident 7")
    made = created(here)
    freeze(APP, person, here.house)
    unfreeze(APP, person, here.house)
    here.walk(made.rollout.id, EQUAL, runs=2000, minutes=60)

    freeze(APP, person, here.house)

    assert fsck(here.house).flaws == ()


def _stale_tick(patch: pytest.MonkeyPatch) -> None:
    """Save what was read in an earlier transaction over what has been decided since."""
    known: dict[str, Any] = {}

    def from_memory(work: Any, rollout_id: str) -> Any:
        trial, policy = load(work, rollout_id)
        before = trial if trial.turn == 1 else known.get(rollout_id, trial)
        known[rollout_id] = trial
        return replace(before, turn=trial.turn), policy

    patch.setattr("lockgate.operations.tick.load", from_memory)


def _unsealed(patch: pytest.MonkeyPatch) -> None:
    """Let ingests join a bucket that is sealed."""

    def last(self: MemorySnapshot, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        slot = self.last_slot(app)
        return () if slot is None else (replace(slot, sealed_at=None, digest=None),)

    patch.setattr(MemorySnapshot, "open_slots", last)


def _half_sealed(patch: pytest.MonkeyPatch) -> None:
    """Seal a bucket by the digest of a part of it."""
    patch.setattr("lockgate.operations.intake.sealing.seal", lambda slot, cells, *more: seal(slot, cells[:1], *more))


def _untold(patch: pytest.MonkeyPatch) -> None:
    """Keep the receipt of an end and forget its messages."""
    patch.setattr(
        "lockgate.operations.vault.record.tell",
        lambda work, messages: tell(work, messages if len(messages) < 2 else ()),
    )


def _unfrozen(patch: pytest.MonkeyPatch) -> None:
    """Tick as if no app were frozen."""
    patch.setattr("lockgate.operations.tick.situation", lambda *around: replace(situation(*around), freeze=None))


def _trusting(patch: pytest.MonkeyPatch) -> None:
    """Count a message as delivered whatever came of sending it."""

    def done(delivery: Delivery, _: Carried, now: Instant) -> Delivery:
        return settled(delivery, Carried(), now)

    patch.setattr("lockgate.operations.webhooks.deliver.settled", done)


def _forgetful(patch: pytest.MonkeyPatch) -> None:
    """Know no run again that comes in another batch."""
    patch.setattr(MemoryTransaction, "known_ids", lambda _self, _app, marks, *_rule: np.zeros(marks.size, np.bool_))


def _unpaired(patch: pytest.MonkeyPatch) -> None:
    """Keep of a bucket the pairs that the latest batch made."""
    patch.setattr("lockgate.operations.intake.pairing._added", lambda _work, _app, cells: cells)


def _unpinned(patch: pytest.MonkeyPatch) -> None:
    """Prune raw runs as if no decision had pinned any."""
    patch.setattr(MemorySnapshot, "pinned", _once_empty(MemorySnapshot.pinned))


def _once_empty(pinned: Callable[[MemorySnapshot], frozenset[str]]) -> Callable[[MemorySnapshot], frozenset[str]]:
    return lambda self: frozenset() if isinstance(self, MemoryTransaction) else pinned(self)


def _unread(patch: pytest.MonkeyPatch) -> None:
    """Prune buckets as if no rollout might still read them."""

    def old(seen: Any, app: str, after: int, before: Instant) -> int | None:
        slots = [slot.number for slot in seen.slots(app, after)[:-1] if slot.is_sealed and slot.opened_at < before]
        return max(slots, default=None)

    patch.setattr("lockgate.operations.retention.prune._old", old)


def _unmoved(patch: pytest.MonkeyPatch) -> None:
    """Change who moves the traffic without a receipt."""
    patch.setattr("lockgate.operations.steering.actuator.stand", lambda _work, before, *_more: _stood(before))


def _stood(app: App) -> AppStanding:
    return AppStanding(app, "", 0)


@pytest.mark.clause("LI-337")
@pytest.mark.parametrize(
    ("mutate", "rule"),
    [(_forgetful, "I7"), (_unpaired, "pairs"), (_unpinned, "I7"), (_unread, "prune"), (_unmoved, "standing")],
)
def test_a_mutant_of_what_is_kept_is_found(
    mutate: Callable[[pytest.MonkeyPatch], None], rule: str, monkeypatch: Any
) -> None:
    """Strict ids, pairs, pins, buckets that are still read, and who moves the traffic."""
    mutate(monkeypatch)

    found = next((outcome for outcome in outcomes(range(2 * ENOUGH)) if outcome.broken), None)

    assert found is not None
    assert any(fault.startswith(rule) for fault in found.broken), found.broken


@pytest.mark.tampers
@pytest.mark.clause("LI-147")
@pytest.mark.parametrize(
    ("mutate", "rule"),
    [
        (_stale_tick, "unexpected"),
        (_unsealed, "unexpected"),
        (_half_sealed, "seal"),
        (_untold, "I3"),
        (_unfrozen, "freeze"),
        (_trusting, "I8"),
    ],
)
def test_a_mutant_is_found(mutate: Callable[[pytest.MonkeyPatch], None], rule: str, monkeypatch: Any) -> None:
    """A line that breaks a rule is caught within a few schedules, with a seed that shows it."""
    mutate(monkeypatch)

    found = next((outcome for outcome in outcomes(range(ENOUGH)) if outcome.broken), None)

    assert found is not None
    assert any(fault.startswith(rule) for fault in found.broken)
    assert f"--seed {found.seed}  # " in found.line
