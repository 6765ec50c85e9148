# SPDX-License-Identifier: Apache-2.0
"""A world goes out in which everything happened that a rollout can go through; its receipts and cases beside it."""

from __future__ import annotations

from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import operator
from lockgate.core.replay.case import Case
from lockgate.core.replay.outcome import Past, Record, compared, past_of, record_of
from lockgate.operations.replay.cases import cases
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.ports.house import House
from lockgate.testing.world import World
from tests.spec.line import APP, BAD, EQUAL, GOOD, created, trial_of

WHO = operator("ada", "drill")
Pair = tuple[Record, Case]


def lived(here: World) -> tuple[str, ...]:
    """Let rollouts be promoted, rolled back, paused, approved, frozen, killed and taken back; return their ids."""
    steps = [{"weight": 5, "approval": "manual"}, {"weight": 25, "max_hold": "20m", "on_deadline": "pause"}, 100]
    gates = ["error_rate", "latency_ms:p95", {"metric": "latency_ms:mean", "margin": "20%"}]
    policy = {"gates": gates, "steps": [step if isinstance(step, dict) else {"weight": step} for step in steps]}
    asked = created(here, policy=policy, links=(("pr", "https://git.example/1"),)).rollout.id
    here.walk(asked, EQUAL, runs=2000, minutes=8)
    pause(asked, WHO, here.house)
    resume(asked, WHO, here.house)
    stood = trial_of(here, asked).rollout
    approve(asked, Seen(stood.step, stood.revision), WHO, here.house)
    here.walk(asked, EQUAL, runs=2000, minutes=90)
    worse = created(here, candidate="abd", baseline="abc123").rollout.id
    here.walk(worse, {"abc123": GOOD, "abd": BAD}, runs=2000, minutes=30)
    shadow = created(here, candidate="abe", policy={"mode": "shadow"}).rollout.id
    here.walk(shadow, {**EQUAL, "abe": GOOD}, runs=300, minutes=5)
    held = created(here, candidate="abf").rollout.id
    here.walk(held, {**EQUAL, "abf": GOOD}, runs=300, minutes=3)
    freeze(APP, WHO, here.house)
    here.walk(held, {**EQUAL, "abf": GOOD}, runs=2000, minutes=70)
    unfreeze(APP, WHO, here.house)
    kill(APP, WHO, here.house)
    return asked, worse, shadow, held


def pairs(house: House, rollout_id: str) -> list[Pair]:
    """Return a rollout's receipts, each with its case."""
    with house.store.reading(house.org) as seen:
        found = [(record_of(each.receipt.envelope), each.case) for each in cases(seen, rollout_id)]
    return [(record, case) for record, case in found if case is not None]


def pasts(found: list[Pair]) -> list[Past | None]:
    """Return, for each receipt, what those before it lead to."""
    led: list[Past | None] = [None]
    for record, case in found:
        _, made = compared(record, case, led[-1])
        assert made is not None
        led.append(past_of(record, made))
    return led[:-1]
