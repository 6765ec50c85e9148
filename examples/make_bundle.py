# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a sample of what an auditor is handed, the same every time, goes out.

    python examples/make_bundle.py examples/audit

A rollout really runs: a candidate climbs a step, an operator pauses and resumes it, it gets worse and is rolled back.
The keys are made from words that everybody can read: they are worth nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lockgate.core.bundle_layout import AUDIT
from lockgate.core.receipt import operator
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.bundle.saved_receipts import CHECKPOINT, LOG_KEY, RECEIPT_KEY, saved_receipts
from lockgate.operations.create import Order, create
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.report.bundle_pages import bundle_pages
from lockgate.testing.world import MINUTE, Law, World
from lockgate.wiring import memory_store

APP, BASELINE, CANDIDATE = "claims-agent", "v36", "abc123"
WHO = "ada@lockgate.example"
POLICY = {"mode": "canary", "steps": "5,25,100", "min_runs": 30, "gates": [{"metric": "error_rate"}]}
GOOD, BAD = Law(error_rate=0.02, latency_ms=None), Law(error_rate=0.2, latency_ms=None)
RUNS = 4_000


def main(arguments: list[str]) -> None:
    """Write the sample into the folder that the only argument names."""
    if len(arguments) != 1:
        raise SystemExit("usage: make_bundle.py FOLDER")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sample().items():
        (folder / name).write_bytes(data)


def sample() -> dict[str, bytes]:
    """Return the bundle, and what an auditor has from elsewhere: keys, script and a checkpoint that was kept."""
    world = World(memory_store(), seed=7)
    _begin(world, "billing")
    rollout = _begin(world, APP)
    world.walk(rollout, {BASELINE: GOOD, CANDIDATE: GOOD}, runs=RUNS, minutes=3)
    kept = saved_receipts(rollout, world.house)
    _begin(world, "search")
    pause(rollout, operator(WHO, "the dashboards are down, we wait"), world.house)
    world.clock.advance(10 * MINUTE)
    resume(rollout, operator(WHO, "the dashboards are back"), world.house)
    world.walk(rollout, {BASELINE: GOOD, CANDIDATE: BAD}, runs=RUNS, minutes=30)
    wanted = Wanted(rollout_id=rollout, pages=bundle_pages, since=kept[CHECKPOINT])
    with bundle(wanted, world.house) as made:
        whole, script = b"".join(made.pieces()), made.files[AUDIT]
    return {
        "bundle.zip": whole,
        AUDIT: script,
        "receipt-key.pem": kept[RECEIPT_KEY],
        "log-key.txt": kept[LOG_KEY],
        "kept-checkpoint.txt": kept[CHECKPOINT],
    }


def _begin(world: World, app: str) -> str:
    links = (("evaluation-card", "https://evaluations.example/abc123"),) if app == APP else ()
    order = Order(app=app, baseline=BASELINE, candidate=CANDIDATE, policy=POLICY, links=links)
    return create(order, world.house).rollout.id


if __name__ == "__main__":
    main(sys.argv[1:])
