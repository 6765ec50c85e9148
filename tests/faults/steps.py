# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; one operation of a short life is done to it as a process of its own would, by name.

Every process makes its house anew, as a command does; the clock is the one thing that is given.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lockgate.adapters.marks.state_files import StateFiles
from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite import segments as sqlite_segments
from lockgate.core.batch import RunBatch
from lockgate.core.listed_key import Use
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import operator
from lockgate.core.retention import Retention
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.keys.rotate_key import Rotation, rotate_key
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.tick import tick
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.ports.house import House
from lockgate.ports.store import Store
from lockgate.testing.world import BEGINNING, WorldClock
from lockgate.wiring import actuators, run_batches, signers, sqlite_store

APP, BASELINE, CANDIDATE = "web", "v1", "v2"
WHO = operator("ada", "drill")
# Small numbers of runs decide, so that a life is short; what is promised by numbers is tested elsewhere.
POLICY: dict[str, object] = {
    "mode": "canary",
    "min_runs": 20,
    "gates": [{"metric": "error_rate", "detect": "none"}],
    "steps": [{"weight": 5}, {"weight": 50}, {"weight": 100}],
}
JOURNAL = "journal"
# The file that holds the address of a folder's store, where that is a database.
DATABASE = "database"
# A machine that stands still for some seconds is no fault of a store.
BUSY_S = 60


def store_of(folder: Path) -> Store:
    """Return the store of a folder."""
    named = folder / DATABASE
    if not named.exists():
        return sqlite_store(folder)
    return PostgresStore(f"{named.read_text(encoding='utf-8')}?connect_timeout={BUSY_S}", BUSY_S)


def house_of(folder: Path, minute: float = 0.0) -> House:
    """Return a house of its own on a folder's store and keys, at a time."""
    clock = WorldClock(BEGINNING + round(minute * 60_000))
    return House(store_of(folder), clock, signers(folder / "keys"), high_water=StateFiles(folder / "state"))


def runs(seed: int, count: int = 60, *, failing: float = 0.0, app: str = APP) -> RunBatch:
    """Return runs of both releases, of which the candidate's fail so often."""
    draw = np.random.default_rng(seed).random(count)
    lines = [
        json.dumps(
            {
                "app_id": app,
                "release": CANDIDATE if number % 2 else BASELINE,
                "run_id": f"{seed}-{number}",
                "status": "error" if number % 2 and draw[number] < failing else "ok",
            }
        )
        for number in range(count)
    ]
    return run_batches().decode(("\n".join(lines) + "\n").encode(), None)


def rollout_id(house: House) -> str:
    """Return the id of the latest canary."""
    return [each.id for each in list_rollouts(house) if each.mode is Mode.CANARY][-1]


def _declare(house: House, folder: Path) -> None:
    script = f"cat >> $HOME/{JOURNAL}; echo >> $HOME/{JOURNAL}"
    set_actuator(APP, Program(argv=("/bin/sh", "-c", script), folder=str(folder)), WHO, house)


def _create(house: House, _folder: Path) -> None:
    create(Order(app=APP, candidate=CANDIDATE, baseline=BASELINE, policy=POLICY), house)


def _ingest(seed: int, failing: float = 0.0) -> Callable[[House, Path], None]:
    def step(house: House, _folder: Path) -> None:
        ingest(runs(seed, failing=failing), house)

    return step


def _tick(house: House, _folder: Path) -> None:
    tick(rollout_id(house), house)


def _deliver(house: House, folder: Path) -> None:
    # The program finds its journal by this, wherever the store was copied to.
    os.environ["HOME"] = str(folder)
    deliver(house, actuators(), Bounds())


def _kill(house: House, _folder: Path) -> None:
    kill(APP, WHO, house)


def _prune(house: House, _folder: Path) -> None:
    prune(house, Retention())


def _unfreeze(house: House, _folder: Path) -> None:
    unfreeze(APP, WHO, house)


def _freeze(house: House, _folder: Path) -> None:
    freeze(APP, WHO, house)


def _rotate(role: Use) -> Callable[[House, Path], None]:
    def step(house: House, folder: Path) -> None:
        rotate_key(Rotation(role=role, actor=WHO, overlap=86_400_000), house, signers(folder / "keys"))

    return step


@dataclass(frozen=True)
class Step:
    """What one process does, and at which minute."""

    name: str
    minute: float
    do: Callable[[House, Path], None]


LIFE = (
    Step("declare", 0, _declare),
    Step("create", 0, _create),
    Step("deliver created", 0, _deliver),
    Step("ingest transition", 0.5, _ingest(1)),
    Step("ingest first", 1.5, _ingest(2)),
    Step("look", 1.6, _tick),
    Step("promote", 3, _tick),
    Step("deliver promoted", 3, _deliver),
    Step("freeze", 3, _freeze),
    Step("unfreeze", 3, _unfreeze),
    Step("rotate receipt", 3, _rotate(Use.RECEIPT)),
    Step("rotate log", 3, _rotate(Use.LOG)),
    Step("ingest transition again", 3.5, _ingest(3)),
    Step("ingest bad", 4.5, _ingest(4, failing=0.9)),
    Step("ingest worse", 5.5, _ingest(5, failing=0.9)),
    Step("roll back", 7, _tick),
    Step("deliver rolled back", 7, _deliver),
    Step("create again", 8, _create),
    Step("kill", 9, _kill),
    Step("ingest what nobody pins", 10, _ingest(6)),
    Step("prune", 30 * 24 * 60, _prune),
)


def do(folder: Path, name: str, later: float = 0.0) -> None:
    """Do one step of a life, so many minutes later than it would be."""
    step = next(each for each in LIFE if each.name == name)
    held = sqlite_segments.HELD
    # A short life moves raw runs from one file to the other, too.
    sqlite_segments.HELD = 3
    try:
        step.do(house_of(folder, step.minute + later), folder)
    finally:
        # Other tests may run in this process.
        sqlite_segments.HELD = held


def standing(folder: Path) -> dict[str, object]:
    """Return what somebody who looks at a store is told, so that two stores can be compared."""
    house = house_of(folder)
    with house.store.reading(house.org) as seen:
        trials = [seen.trial(each.id) for each in seen.rollouts()]
        apps = seen.apps()
        runs_kept = sum(
            cell.bucket.runs
            for app in apps
            for slot in seen.slots(app.name)
            for cell in seen.cells(app.name, slot.number, slot.number)
        )
        return {
            "rollouts": [
                (one.rollout.status.value, one.rollout.weight, one.rollout.revision, one.chain.seq)
                for one in trials
                if one is not None
            ],
            "apps": [(app.frozen, app.is_killed, app.champion) for app in apps],
            "runs": runs_kept,
            "messages": [message.id.rpartition("_")[2] for message in seen.messages()],
            "deliveries": [each.state.value for each in seen.deliveries()],
            "log": seen.tree().size,
            "raw": sum(seen.is_segment_sound(each.digest) is True for each in seen.batches_after("", 100)),
        }


def flaws(folder: Path) -> list[str]:
    """Return, in sentences, what a check of a store finds."""
    return [flaw.sentence for flaw in fsck(house_of(folder)).flaws]


def told(folder: Path) -> list[str]:
    """Return the messages that the actuator of a life was told, in their order."""
    journal = folder / JOURNAL
    return journal.read_text(encoding="utf-8").split("\n") if journal.exists() else []
