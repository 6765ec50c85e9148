# SPDX-License-Identifier: Apache-2.0
"""The ramp that docs/howto/policy.md shows for a model or a prompt comes in; a candidate without harm must walk it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from lockgate.core.batch import Group, RunBatch
from lockgate.core.rollout import Status
from lockgate.core.stats.micro import from_float
from lockgate.core.summary import ERROR, OK, Columns
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import Turn, tick
from lockgate.testing.world import World
from lockgate.wiring import memory_store, read_policy_file

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "policy.md"
APP, MEDICAL = "web", (("intent", "medical"),)
PROBES = 200
# Runs of each release in a minute of each step: probes, mirrored inputs, 5 % of users.
SERVED = {0: (PROBES, PROBES), 1: (200, 200), 2: (380, 20)}


def serve(here: World, draw: np.random.Generator, step: int) -> None:
    """Serve a minute of a step: one run in twenty fails, one answer in ten is bad, one run in four is medical."""
    counts = [part for runs in SERVED[step] for part in (runs - runs // 4, runs // 4)]
    total = sum(counts)
    batch = RunBatch(
        body=f"{here.clock.now()}".encode(),
        columns=Columns(
            runs=total,
            statuses=np.where(draw.random(total) < 0.05, ERROR, OK).astype(np.int8),
            values={"scores.groundedness": from_float((draw.random(total) < 0.9) * 1.0)},
        ),
        groups=tuple(Group(APP, release, labels) for release in ("v1", "v2") for labels in ((), MEDICAL)),
        group=np.repeat(np.arange(4), counts),
        started_at=np.full(total, here.clock.now()),
        ids=[None] * total,
        probes=[f"p{number}" for number in range(PROBES)] * 2 if step == 0 else (),
    )
    ingest(batch, here.house)
    here.clock.advance(60)


@pytest.mark.clause("LI-515")
def test_a_candidate_without_harm_walks_the_shown_ramp(tmp_path: Path) -> None:
    """Its probes are looked at once, its mirrored answers and its users until the evidence is enough."""
    (text,) = re.findall(
        r"^```yaml\n((?:(?!```).)*kind: offline.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    here, draw, turns = World(memory_store(), 1), np.random.default_rng(1), list[Turn]()
    order = Order(app=APP, baseline="v1", candidate="v2", policy={**read_policy_file(str(file)), "mode": "canary"})
    rollout = create(order, here.house).rollout

    while len(turns) < 120 and not rollout.is_terminal:
        serve(here, draw, rollout.step)
        turns.append(tick(rollout.id, here.house))
        rollout = turns[-1].rollout

    assert rollout.status is Status.PROMOTED
    assert {turn.rollout.step for turn in turns} >= {1, 2, 3}
