# SPDX-License-Identifier: Apache-2.0
"""A thousand active rollouts of five gates come in; how many of them a second take a durable turn goes out.

    PYTHONPATH=. python bench/bench_tick_all.py [--quick]

Each rollout is of an app of its own and reads one newly sealed bucket of 30 runs. In shadow mode every turn signs a
receipt, in canary mode it leaves a look. Beside it the same turns are taken one transaction each, as `tick --id` does.
"""

from __future__ import annotations

import argparse
from statistics import median
from time import perf_counter
from typing import Any

from bench.line import Line, line
from bench.rounds import write
from lockgate.operations.tick import tick
from lockgate.operations.tick_all import tick_all

PROMISED_PER_S = 300
ROLLOUTS = 1_000
NEW_RUNS = 30
# So many apps are fed by one batch.
AT_ONCE = 50


def feed(here: Line, apps: list[str]) -> None:
    """Ingest one bucket of each app and let its time be over."""
    for start in range(0, len(apps), AT_ONCE):
        here.serve(apps[start : start + AT_ONCE], NEW_RUNS)
    here.seal()


def measure(mode: str, rollouts: int, rounds: int) -> dict[str, float]:
    """Return turns a second of all together, and of each by itself."""
    apps = [f"app-{number}" for number in range(rollouts)]
    together, alone = [], []
    with line() as here:
        ids = [here.start(app, mode) for app in apps]
        for _ in range(rounds):
            feed(here, apps)
            start = perf_counter()
            took = tick_all(here.house)
            together.append(len(took.turns) / (perf_counter() - start))
            assert not took.problems
            feed(here, apps)
            start = perf_counter()
            for rollout in ids:
                tick(rollout, here.house)
            alone.append(rollouts / (perf_counter() - start))
    return {"tick_all": round(median(together), 1), "tick_each": round(median(alone), 1)}


def main() -> None:
    """Measure, print a line each, and write bench/results/tick_all.json."""
    parser = argparse.ArgumentParser(description="A turn of every active rollout.")
    parser.add_argument("--quick", action="store_true", help="fewer rollouts and rounds; writes nothing")
    quick = parser.parse_args().quick
    rollouts, rounds = (100, 2) if quick else (ROLLOUTS, 5)
    found = {mode: measure(mode, rollouts, rounds) for mode in ("shadow", "canary")}
    for mode, per_s in found.items():
        print(f"{mode}: {per_s['tick_all']:.0f} rollouts/s together, {per_s['tick_each']:.0f} one by one")
    print(f"promised: {PROMISED_PER_S} rollouts/s together")
    results: dict[str, Any] = {
        "rollouts_per_s": found,
        "rollouts": rollouts,
        "gates": 5,
        "new_runs": NEW_RUNS,
        "rounds": rounds,
        "promised_per_s": PROMISED_PER_S,
    }
    if not quick:
        write("tick_all", results)


if __name__ == "__main__":
    main()
