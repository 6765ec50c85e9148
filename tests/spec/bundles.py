# SPDX-License-Identifier: Apache-2.0
"""A world and the id of a rollout come in; the files of its bundle go out, for tests of bundles."""

from __future__ import annotations

import json
from typing import Any

from lockgate.core.receipt import operator
from lockgate.operations.bundle.bundle import Bundle, Wanted, bundle
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.report.bundle_pages import bundle_pages
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, WORSE, created, world

ANN, BOB, EVE = (operator(f"{name}@example.com", f"{name} says so") for name in ("ann", "bob", "eve"))
EXPERIMENT, CARD = "https://ml.example/runs/77", "https://ml.example/cards/abc123"
MODEL = "a" * 64


def bundled(house: House, rollout_id: str, since: bytes | None = None) -> tuple[dict[str, bytes], Bundle]:
    """Return the files of a rollout's bundle, and what is told of it."""
    with bundle(Wanted(rollout_id=rollout_id, pages=bundle_pages, since=since), house) as made:
        return dict(made.files.items()), made


def bundle_bytes(house: House, rollout_id: str) -> bytes:
    """Return the bytes of a rollout's bundle."""
    with bundle(Wanted(rollout_id=rollout_id, pages=bundle_pages), house) as made:
        return b"".join(made.pieces())


def record_of(files: dict[str, bytes]) -> Any:
    """Return the release record of a bundle."""
    return json.loads(files["release-record.json"])


def promoted() -> tuple[World, str]:
    """Return a world in which a candidate with links and digests was promoted."""
    here = world()
    links = (("experiment", EXPERIMENT), ("evaluation-card", CARD))
    made = created(here, links=links, digests=(("model", f"sha256:{MODEL}"),))
    here.walk(made.rollout.id, EQUAL, runs=400, minutes=100)
    return here, made.rollout.id


def rolled_back() -> tuple[World, str]:
    """Return a world in which a candidate was rolled back."""
    here = world()
    rollout = created(here).rollout.id
    here.walk(rollout, WORSE, runs=400, minutes=100)
    return here, rollout


def rolled_back_at_once() -> tuple[World, str]:
    """Return a world in which runs from before a rollout ended it, before any came at its step."""
    here = world()
    here.serve_both(APP, {"v36": 1_000, "abc123": 1_000}, WORSE, minutes=10)
    rollout = created(here, since_s=3_600, policy={"gates": ["error_rate"]}).rollout.id
    tick(rollout, here.house)
    return here, rollout


def stepped_in() -> tuple[World, str]:
    """Return a world in which people paused a rollout, resumed it and killed it."""
    here = world()
    rollout = created(here, policy={"steps": [{"weight": 5}, {"weight": 25, "approval": "manual"}, 100]}).rollout.id
    here.walk(rollout, EQUAL, runs=1_000, minutes=10)
    pause(rollout, ANN, here.house)
    here.walk(rollout, EQUAL, runs=1_000, minutes=3)
    resume(rollout, BOB, here.house)
    here.walk(rollout, EQUAL, runs=1_000, minutes=3)
    kill(APP, EVE, here.house)
    return here, rollout
