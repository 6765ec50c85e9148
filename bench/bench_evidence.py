# SPDX-License-Identifier: Apache-2.0
"""Ten million runs come in, as buckets and as a Parquet file; what it costs to see the evidence of a tick goes out.

    PYTHONPATH=. python bench/bench_evidence.py [--quick]

"read" is the evidence that a tick reads: the newly sealed bucket of both releases. "known" reads beside it the state
and totals that all buckets before came to, and "tick" is the whole durable turn. The peer, DuckDB on all cores,
computes from all raw runs what the five gates need. Both must come to the same runs and errors.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb

from bench.line import BASELINE, CANDIDATE, Line, line
from bench.rounds import milliseconds, write
from lockgate.core.batch import RunBatch
from lockgate.core.stats.micro import MICRO
from lockgate.core.summary import ERROR
from lockgate.operations.line.reading import load
from lockgate.operations.tick import tick

PROMISED_READ, PROMISED_TICK = 500.0, 50.0
APP = "app"
RUNS, BUCKETS = 10_000_000, 20
NEW_RUNS = 400
# What the five gates need: runs and errors, two means with their variances, and two histograms of 1 % bins.
COUNTS = (
    "SELECT release, count(*), count(*) FILTER (is_error), sum(cost), sum(cost * cost), sum(quality),"
    " sum(quality * quality) FROM '{path}' GROUP BY release ORDER BY release"
)
HISTOGRAM = "SELECT release, CAST(floor(ln({field}) / ln(1.01)) AS INTEGER) AS bin, count(*) FROM '{path}' GROUP BY ALL"
FIELDS = {"latency_ms": "latency_ms", "ttft_ms": "ttft_ms", "cost": "cost", "quality": "scores.quality"}


class Raw:
    """A Parquet file of the runs that were ingested."""

    def __init__(self, path: Path) -> None:
        """Begin without runs."""
        self.path = path
        self._runs = duckdb.connect()
        columns = ", ".join(f"{name} DOUBLE" for name in FIELDS)
        self._runs.execute(f"CREATE TABLE runs (release TEXT, is_error BOOLEAN, {columns})")

    def add(self, batch: RunBatch) -> None:
        """Append a batch's runs."""
        columns = batch.columns
        arrays = {"release": batch.group, "is_error": columns.statuses == ERROR}
        arrays |= {name: columns.values[field] / MICRO for name, field in FIELDS.items()}
        self._runs.register("batch", arrays)
        names = "CASE release WHEN 0 THEN $1 ELSE $2 END"
        listed = ", ".join(FIELDS)
        self._runs.execute(
            f"INSERT INTO runs SELECT {names}, is_error, {listed} FROM batch",  # noqa: S608 -- names of this file
            [BASELINE, CANDIDATE],
        )

    def close(self) -> None:
        """Write the file."""
        self._runs.execute(f"COPY runs TO '{self.path}' (FORMAT parquet)")
        self._runs.close()


def scan(path: Path) -> list[Any]:
    """Return the peer's runs and errors by release, after it has made the histograms too."""
    with duckdb.connect() as peer:
        for field in ("latency_ms", "ttft_ms"):
            peer.execute(HISTOGRAM.format(field=field, path=path)).fetchall()
        return [row[:3] for row in peer.execute(COUNTS.format(path=path)).fetchall()]


def read(here: Line) -> Callable[[], object]:
    """Return the reading of the newly sealed bucket of both releases."""

    def reading() -> object:
        with here.house.store.reading() as seen:
            last = seen.last_slot(APP)
            assert last is not None
            slots = seen.slots(APP, last.number - 1)
            return seen.cells(APP, slots[0].number, slots[-1].number)

    return reading


def known(here: Line, rollout: str) -> Callable[[], object]:
    """Return the reading of that bucket and of what all before came to."""
    bucket = read(here)

    def reading() -> object:
        with here.house.store.reading() as seen:
            trial, _ = load(seen, rollout)
        return trial, bucket()

    return reading


def counts(here: Line, rollout: str) -> list[Any]:
    """Return runs and errors of each release, as the rollout has added them up."""
    with here.house.store.reading() as seen:
        arms = load(seen, rollout)[0].progress.totals.whole.arm()
    named = ((BASELINE, arms.baseline), (CANDIDATE, arms.candidate))
    return [(name, bucket.runs, bucket.statuses["error"]) for name, bucket in named]


def measure(here: Line, rollout: str, raw: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of reading, of a whole tick and of the peer's scan."""
    calls: dict[str, Callable[[], object]] = {
        "read": read(here),
        "known": known(here, rollout),
        "tick": lambda: tick(rollout, here.house),
        "scan": lambda: scan(raw),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(-1, rounds):
        here.serve([APP], NEW_RUNS)
        here.seal()
        for name, call in calls.items():
            start = perf_counter()
            call()
            if number >= 0:
                seconds[name].append(perf_counter() - start)
    return seconds


def main() -> None:
    """Measure, print a line each, and write bench/results/evidence.json."""
    parser = argparse.ArgumentParser(description="Evidence from buckets beside a scan of raw runs.")
    parser.add_argument("--quick", action="store_true", help="fewer runs and rounds; writes nothing")
    quick = parser.parse_args().quick
    runs, rounds = (RUNS // 20, 3) if quick else (RUNS, 11)
    with line() as here:
        rollout = here.start(APP, "shadow")
        raw = Raw(here.folder / "runs.parquet")
        for batch in here.fill(APP, runs, BUCKETS):
            raw.add(batch)
        raw.close()
        here.seal()
        tick(rollout, here.house)
        assert scan(raw.path) == counts(here, rollout), "both count the same runs"
        seconds = measure(here, rollout, raw.path, rounds)
    times = milliseconds(seconds)
    ratios = {name: round(median(seconds["scan"]) / median(seconds[name]), 1) for name in ("read", "known", "tick")}
    for name, what in (("read", "the new bucket"), ("known", "and the state of all before"), ("tick", "a whole tick")):
        print(f"{what}: {times[name]:.3f} ms, {ratios[name]:,.0f} times faster than DuckDB")
    print(
        f"DuckDB over {runs:,} runs: {times['scan']:.0f} ms; promised {PROMISED_READ:.0f} and {PROMISED_TICK:.0f} times"
    )
    results: dict[str, Any] = {
        "runs": runs,
        "p50_ms": times,
        "scan_over": ratios,
        "new_runs": NEW_RUNS,
        "gates": 5,
        "rounds": rounds,
        "peer": {"duckdb": version("duckdb"), "cores": os.cpu_count()},
        "promised_scan_over_read": PROMISED_READ,
        "promised_scan_over_tick": PROMISED_TICK,
    }
    if not quick:
        write("evidence", results)


if __name__ == "__main__":
    main()
