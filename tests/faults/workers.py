# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; processes that tick and ingest until they are told to stop note what they were told.

Time runs faster than on the wall, the same in every process, so that buckets seal many times a second.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lockgate.core.instant import Instant
from lockgate.errors import TryAgainError
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.testing.world import BEGINNING
from lockgate.wiring import signers
from tests.faults.steps import APP, BASELINE, CANDIDATE, rollout_id, runs, store_of

STEPS = 40
SPEED = 600
RUNS = 60
PAUSE_S = 0.005
OVER, PATIENCE_S = "over", 90.0
# So many seeds of batches belong to one ingester.
SHARE = 1_000_000


@dataclass(frozen=True)
class FastClock:
    """A clock that began at a moment of the wall and runs faster."""

    began: float

    def now(self) -> Instant:
        """Return the time."""
        return BEGINNING + round((time.time() - self.began) * SPEED * 1_000)


@dataclass(frozen=True)
class Shift:
    """Where processes work, since when, and until when at least; each notes what it was told in a file of its own."""

    folder: Path
    began: float
    ends: float

    def house(self) -> House:
        """Return a house of its own."""
        return House(store_of(self.folder), FastClock(self.began), signers(self.folder / "keys"))

    @property
    def is_over(self) -> bool:
        """Say whether it was ended; whoever is left alone ends too."""
        return (self.folder / OVER).exists() or time.time() >= self.ends + 2 * PATIENCE_S

    def lasts(self, *, is_enough: bool) -> bool:
        """Say whether it goes on, and end it otherwise: a busy machine takes longer, and has an end too."""
        now = time.time()
        if now < self.ends or (not is_enough and now < self.ends + PATIENCE_S):
            return True
        (self.folder / OVER).touch()
        return False


def opened(folder: Path, seconds: float) -> Shift:
    """Return a shift on a new store, in which a ramp of many steps begins."""
    began = time.time()
    shift = Shift(folder, began, began + seconds)
    steps = [{"weight": round(100 * number / STEPS, 1)} for number in range(1, STEPS + 1)]
    policy = {"mode": "canary", "min_runs": 20, "gates": [{"metric": "error_rate", "detect": "none"}], "steps": steps}
    create(Order(app=APP, candidate=CANDIDATE, baseline=BASELINE, policy=policy), shift.house())
    return shift


def ticker(shift: Shift, name: str) -> None:
    """Tick until the time is over; that another was first is no fault."""
    house = shift.house()
    target = rollout_id(house)
    with _notes(shift, name) as file:
        while not shift.is_over:
            try:
                turn = tick(target, house)
            except TryAgainError:
                _note(file, {"lost": True})
                continue
            _note(file, {"revision": turn.rollout.revision, "seq": turn.receipt})
            # SQLite's lock is not fair: many who ask for it without a pause starve those who bring runs.
            time.sleep(PAUSE_S)


def ingester(shift: Shift, name: str, number: int) -> None:
    """Ingest batches of its own until the time is over; a batch whose answer was lost comes again."""
    house = shift.house()
    path = shift.folder / f"{name}.next"
    seed = int(path.read_text(encoding="utf-8")) if path.exists() else number * SHARE
    with _notes(shift, name) as file:
        while not shift.is_over:
            _remember(path, seed)
            try:
                taken = ingest(runs(seed, RUNS), house)
            except TryAgainError:
                _note(file, {"lost": True})
                continue
            _note(file, {"digest": taken.digest, "runs": taken.runs, "repeated": taken.is_repeated})
            seed += 1


def told(folder: Path) -> list[dict[str, Any]]:
    """Return everything that anybody was told, and noted whole before its end."""
    lines = [line for path in folder.glob("*.told") for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line) for line in lines if line.endswith("}")]


def _notes(shift: Shift, name: str) -> TextIO:
    return (shift.folder / f"{name}-{os.getpid()}.told").open("a", encoding="utf-8", buffering=1)


def _note(file: TextIO, said: dict[str, object]) -> None:
    file.write(json.dumps(said) + "\n")


def _remember(path: Path, seed: int) -> None:
    """Write which batch is under way so that a killed ingester leaves the number before, or this one."""
    path.with_suffix(".new").write_text(str(seed), encoding="utf-8")
    path.with_suffix(".new").replace(path)
