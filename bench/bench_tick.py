# SPDX-License-Identifier: Apache-2.0
"""Stores of ten thousand and ten million runs, in 20 and 20,000 sealed buckets, come in; the time of one tick goes out.

    PYTHONPATH=. python bench/bench_tick.py [--quick]

A tick reads one newly sealed bucket of 400 runs under five gates, decides, signs a receipt (shadow mode, which signs
each) and is durable when it returns: SQLite in WAL mode, synchronous = FULL.
All stores take their turns, so that other load falls on all alike.
"""

from __future__ import annotations

import argparse
from collections import deque
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from bench.line import Line, line
from bench.rounds import write
from lockgate.operations.tick import tick

PROMISED_P99_MS = 25.0
PROMISED_RATIO = 1.2
NEW_RUNS = 400
APP = "app"
# Runs and sealed buckets before the measured ticks.
STORES = {"1e4 runs, 20 buckets": (10_000, 20), "1e7 runs, 20 buckets": (10_000_000, 20)}
LONG = {"1e6 runs, 20,000 buckets": (1_000_000, 20_000)}
QUICK = {"1e4 runs, 20 buckets": (10_000, 20), "1e5 runs, 200 buckets": (100_000, 200)}


def history(here: Line, runs: int, buckets: int) -> str:
    """Fill a store whose rollout has read everything, and return the rollout's id."""
    rollout = here.start(APP, "shadow")
    deque(here.fill(APP, runs, buckets), maxlen=0)
    here.seal()
    tick(rollout, here.house)
    return rollout


def measure(lines: dict[str, tuple[Line, str]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each store's tick in each round, after three rounds unmeasured."""
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    for number in range(-3, rounds):
        for name, (here, rollout) in lines.items():
            here.serve([APP], NEW_RUNS)
            here.seal()
            start = perf_counter()
            tick(rollout, here.house)
            if number >= 0:
                seconds[name].append(perf_counter() - start)
    return seconds


def main() -> None:
    """Measure, print a line each, and write bench/results/tick.json."""
    parser = argparse.ArgumentParser(description="One durable tick, whatever came before.")
    parser.add_argument("--quick", action="store_true", help="smaller stores and fewer rounds; writes nothing")
    quick = parser.parse_args().quick
    sizes = QUICK if quick else {**STORES, **LONG}
    with ExitStack() as stack:
        lines = {}
        for name, (runs, buckets) in sizes.items():
            here = stack.enter_context(line())
            lines[name] = (here, history(here, runs, buckets))
        seconds = measure(lines, 30 if quick else 400)
    p50 = {name: round(1000 * median(times), 3) for name, times in seconds.items()}
    p99 = {name: round(1000 * float(np.percentile(times, 99)), 3) for name, times in seconds.items()}
    first, *others = p50
    ratios = {name: round(p50[name] / p50[first], 3) for name in others}
    for name, middle in p50.items():
        print(f"{name}: p50 {middle:.2f} ms, p99 {p99[name]:.2f} ms")
    print(f"p50 over that of {first}: {ratios}; promised {PROMISED_RATIO}, and p99 {PROMISED_P99_MS} ms")
    results: dict[str, Any] = {
        "p50_ms": p50,
        "p99_ms": p99,
        "p50_ratio": ratios,
        "gates": 5,
        "new_runs": NEW_RUNS,
        "rounds": len(next(iter(seconds.values()))),
        "promised_p99_ms": PROMISED_P99_MS,
        "promised_ratio": PROMISED_RATIO,
    }
    if not quick:
        write("tick", results)


if __name__ == "__main__":
    main()
