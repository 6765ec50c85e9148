# SPDX-License-Identifier: Apache-2.0
"""A seed comes in; a schedule of ingesters, tickers, senders, an operator, clock and faults, and what broke, goes out.

One seed decides everything: who acts next, who is interrupted by whom, which transaction ends in a crash.
The same seed gives the same steps and the same bytes of the log.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lockgate.core.receipt import Actor as Person
from lockgate.core.spine import PairCell, Slot
from lockgate.errors import TryAgainError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.ports.store import Snapshot, Store
from lockgate.testing.actors import (
    APP,
    BAD,
    CANDIDATES,
    CHAMPION,
    GOOD,
    OTHER_APP,
    Actor,
    Ingester,
    Operator,
    Owner,
    Scene,
    Ticker,
    Time,
)
from lockgate.testing.contents import Reader
from lockgate.testing.courier import Courier
from lockgate.testing.faults import CrashError, FaultyStore, Odds
from lockgate.testing.invariants import broken
from lockgate.testing.pruner import Pruner
from lockgate.testing.receiver import Receiver
from lockgate.testing.remembered import Remembered
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store

TURNS = 50
# What interrupts may be interrupted, and so on, this deep.
DEEPEST = 2
# How often the rules are checked within a schedule, and for how long senders go on after it.
LOOKS = 2
LAST_PASSES = 6
TIME_TO_CALM = 6 * 3_600
PART_MADE_AGAIN = 0.1
# In which part of schedules ids are strict, runs answer probes, what is old is pruned, and there is a second app.
STRICT, PROBED, PRUNED, TWO_APPS = 0.2, 0.2, 0.3, 0.25


@dataclass(frozen=True, slots=True)
class ScheduleOutcome:
    """What a schedule came to: its steps in words, the root of its log, and what broke."""

    seed: int
    steps: tuple[str, ...]
    root: bytes
    broken: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    turns: int = TURNS

    @property
    def line(self) -> str:
        """Return the one line that says what broke and how to see it again."""
        fault = self.broken[0] if self.broken else "every rule holds"
        turns = "" if self.turns == TURNS else f" --turns {self.turns}"
        return f"python -m lockgate.testing.schedule --seed {self.seed}{turns}  # {fault}"


def run_schedule(seed: int, store: Store, odds: Odds | None = None, turns: int = TURNS) -> ScheduleOutcome:
    """Let everybody act on an empty store as the seed decides, then calm down, and check every rule."""
    return _Stage(seed, store, Odds() if odds is None else odds).run(turns)


class _Stage:
    """The scheduler: it holds the one source of chance and knows who is within a step."""

    def __init__(self, seed: int, store: Store, odds: Odds) -> None:
        self._seed, self._store = seed, store
        self._draw = np.random.default_rng(seed)
        self._faulty = FaultyStore(store, self._draw, odds, self._interrupt)
        receiver = Receiver(self._draw, self._interrupt)
        self._scene = Scene(World(self._faulty, seed), self._draw, _laws(self._draw), _policies(self._draw), receiver)
        scene = self._scene
        scene.is_strict, scene.is_probed, scene.is_pruned = (scene.happens(odds) for odds in (STRICT, PROBED, PRUNED))
        scene.apps = (APP, OTHER_APP) if scene.happens(TWO_APPS) else (APP,)
        for app in scene.apps:
            program = Program(argv=("router",), folder="/", is_acknowledging=scene.happens(0.5))
            set_actuator(app, program, Person("person", "ops", "set up"), replace(scene.house, store=store))
        self._actors, self._weights = _cast(scene, store)
        self._busy: list[Actor] = []
        self._steps: list[str] = []
        self._counts: Counter[str] = Counter()
        self._broken: list[str] = []
        self._reader, self._remembered = Reader(), Remembered()

    def run(self, turns: int) -> ScheduleOutcome:
        """Run the schedule."""
        owner = next(actor for actor in self._actors if isinstance(actor, Owner))
        self._act(owner)
        looks = set(self._draw.integers(1, turns, LOOKS).tolist())
        for turn in range(turns):
            self._act(self._next())
            if turn == turns // 2 and not self._faulty.faults:
                self._faulty.owes_crash = True
            if turn in looks:
                self._check()
            if self._broken:
                break
        self._calm_down()
        with self._store.reading(self._scene.house.org) as seen:
            root = seen.tree().root
        self._count()
        return ScheduleOutcome(self._seed, tuple(self._steps), root, tuple(self._broken), self._counts, turns)

    def _next(self) -> Actor:
        place = int(np.searchsorted(self._weights, self._draw.random(), side="right"))
        return self._actors[place]

    def _interrupt(self) -> None:
        """Let somebody else act between two transactions of whoever is within a step."""
        other = self._next()
        if len(self._busy) <= DEEPEST and other not in self._busy:
            self._act(other)
            for each in self._busy:
                if isinstance(each, Pruner):
                    each.count()

    def _act(self, actor: Actor) -> None:
        place = len(self._steps)
        self._steps.append("")
        margin = "  " * len(self._busy)
        self._busy.append(actor)
        try:
            said = actor.step()
        except CrashError as crash:
            said = f"crashes {crash}"
        except TryAgainError as refusal:
            said = f"is told to try again: {refusal}"
        except Exception as fault:  # noqa: BLE001 -- whatever else an operation raises is what a schedule looks for
            said = f"raises {type(fault).__name__}: {fault}"
            self._broken.append(f"unexpected: {actor.name} {said}")
        finally:
            self._busy.pop()
        self._steps[place] = f"{margin}{actor.name} {said}"

    def _calm_down(self) -> None:
        """End the faults, let every unanswered request be repeated and every message be delivered, and check."""
        self._faulty.is_calm = self._scene.receiver.is_calm = True
        # Whatever the clock was set back by is over then, and so are all leases.
        self._scene.world.clock.advance(TIME_TO_CALM)
        for actor in self._actors:
            if not isinstance(actor, Time | Owner):
                self._act(actor)
        courier = next(actor for actor in self._actors if isinstance(actor, Courier))
        for _ in range(LAST_PASSES):
            self._scene.world.clock.advance(TIME_TO_CALM)
            self._act(courier)
        self._check()
        with self._store.reading(self._scene.house.org) as seen:
            self._broken += self._scene.receiver.missed(seen)
        # It makes every decision again, which costs as much as the rest of a schedule.
        if self._scene.happens(PART_MADE_AGAIN):
            sound = fsck(replace(self._scene.house, store=self._store))
            self._broken += [f"{flaw.rule}: {flaw.where}: {flaw.what}" for flaw in sound.flaws]

    def _check(self) -> None:
        house = self._scene.house
        with self._store.reading(house.org) as seen:
            contents = self._reader.read(seen, house.org)
            self._broken += broken(contents, seen)
            self._broken += self._remembered.changed(contents)
            self._broken += self._scene.acknowledged.lost(seen)
        self._broken += self._scene.receiver.faults

    def _count(self) -> None:
        """Count what happened, so that whoever runs many schedules sees what they reach."""
        with self._store.reading(self._scene.house.org) as seen:
            contents = self._reader.read(seen, self._scene.house.org)
            pairs = [cell for app, slots in contents.slots.items() if slots for cell in _pairs(seen, app, slots)]
        self._counts["buckets with pairs"] = len(pairs)
        self._counts["steps"] = len(self._steps)
        self._counts["faults"] = self._faulty.faults
        self._counts["messages again"] = self._scene.receiver.repeated
        self._counts["messages late"] = self._scene.receiver.late
        self._counts["apps"] = len(contents.apps)
        self._counts["runs known again"] = self._scene.known_again
        self._counts["buckets pruned"] = sum(app.kept_from for app in contents.apps)
        for said in contents.log:
            self._counts[f"{said.receipt.action} ({said.receipt.cause})"] += 1
        for trial in contents.trials:
            self._counts[f"ended as {trial.rollout.status.value}"] += 1


def _pairs(seen: Snapshot, app: str, slots: Sequence[Slot]) -> tuple[PairCell, ...]:
    return seen.pairs(app, slots[0].number, slots[-1].number)


def _cast(scene: Scene, store: Store) -> tuple[list[Actor], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Return everybody who acts, and how likely each is to be the next, added up."""
    parts: tuple[tuple[float, Callable[[], Actor]], ...] = (
        (0.17, lambda: Ingester("ingester 1", scene)),
        (0.09, lambda: Ingester("ingester 2", scene)),
        (0.12, lambda: Ticker("ticker 1", scene)),
        (0.08, lambda: Ticker("ticker 2", scene)),
        (0.06, lambda: Ticker("ticker 3", scene)),
        (0.06, lambda: Courier("sender 1", scene)),
        (0.04, lambda: Courier("sender 2", scene)),
        (0.07, lambda: Operator("operator", scene)),
        (0.04, lambda: Owner("owner", scene)),
        (0.24, lambda: Time(scene)),
        (0.03, lambda: Pruner("pruner", scene, store)),
    )
    return [make() for _, make in parts], np.cumsum([part for part, _ in parts])


def _laws(draw: np.random.Generator) -> dict[str, Law]:
    return {CHAMPION: GOOD, **{name: BAD if draw.random() < 0.3 else GOOD for name in CANDIDATES}}


def _policies(draw: np.random.Generator) -> tuple[dict[str, object], ...]:
    """Return the policies that candidates are tried under."""
    ramps = (
        [{"weight": 5}, {"weight": 25}, {"weight": 100}],
        [{"weight": 25}, {"weight": 50, "approval": "manual"}, {"weight": 100}],
        [{"kind": "mirror"}, {"weight": 50, "max_hold": "10m", "on_deadline": "rollback"}, {"weight": 100}],
        [{"weight": 50, "min_hold": "2m"}, {"weight": 100, "soak": "3m"}],
        [{"weight": 10}, {"weight": 50, "max_hold": "15m", "on_deadline": "reduce"}, {"weight": 100}],
        [{"weight": 25, "max_hold": "20m", "on_deadline": "pause"}, {"weight": 100}],
    )
    chosen = draw.permutation(len(ramps))[:2]
    return tuple(
        {"mode": "shadow" if draw.random() < 0.2 else "canary", "steps": ramps[place], "bucket": "30s"}
        for place in chosen.tolist()
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one schedule on a store in memory and print its steps; 1 when a rule broke."""
    parser = argparse.ArgumentParser(prog="python -m lockgate.testing.schedule", description=main.__doc__)
    parser.add_argument("--seed", type=int, required=True, help="which schedule")
    parser.add_argument("--turns", type=int, default=TURNS, help="how many turns it has (default: %(default)s)")
    asked = parser.parse_args(arguments)
    outcome = run_schedule(asked.seed, memory_store(), turns=asked.turns)
    for number, step in enumerate(outcome.steps, start=1):
        sys.stdout.write(f"{number:4d}  {step}\n")
    sys.stdout.write(f"root of the log: {outcome.root.hex()}\n")
    for fault in outcome.broken:
        sys.stdout.write(f"broken: {fault}\n")
    sys.stdout.write(f"{outcome.line}\n")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
