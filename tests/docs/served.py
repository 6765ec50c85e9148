# SPDX-License-Identifier: Apache-2.0
"""How a candidate behaves comes in; a store in which the CI job's rollout has run for two hours goes out."""

from __future__ import annotations

from pathlib import Path

from lockgate.core.decision.decision import Action
from lockgate.operations.asking.queries import explain
from lockgate.operations.create import Order, create
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.testing.world import MINUTE, Law, World, WorldClock
from lockgate.wiring import signers, sqlite_store, system_clock

APP, BASELINE, CANDIDATE = "claims-agent", "v36", "abc123"
POLICY = {"mode": "canary", "steps": "5,25,50,100", "min_runs": 30}
LAST = 2


def served(folder: Path, candidate: Law) -> str:
    """Declare what the job declares two hours ago, serve traffic until its last turn is due, and return its id."""
    store, keys = sqlite_store(folder / "home"), signers(folder / "home" / "keys")
    world = World(store)
    world.clock = WorldClock(system_clock().now() - 120 * MINUTE * 1_000)
    world.house = House(store, world.clock, keys)
    laws = {BASELINE: Law(), CANDIDATE: candidate}
    world.serve(APP, 500, laws, BASELINE)
    order = Order(app=APP, baseline=BASELINE, candidate=CANDIDATE, policy=POLICY)
    rollout = create(order, world.house).rollout
    for _ in range(100):
        world.serve(APP, 4_000, laws, BASELINE)
        world.clock.advance(MINUTE)
        due = explain(rollout.id, world.house)
        is_last = due.decision.action is Action.PROMOTE and due.rollout.step == LAST
        if is_last or due.decision.action is Action.ROLLBACK:
            return rollout.id
        tick(rollout.id, world.house)
    raise AssertionError(f"after 100 minutes the rollout still waits: {due.decision.reason}")
