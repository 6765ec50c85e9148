# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how many runs a second are kept durably, and in how many bytes, beside a row for each run goes out.

    PYTHONPATH=. python bench/bench_ingest.py [ROUNDS]

Runs of about 295 bytes are generated, seeded. One core, a store on disk: from the bytes of a body to the commit, which
the disk has when the call returns. In each round all sides take the same bodies, in turn, into new files, every other
round in the opposite order.
The peer reads each line with json.loads and writes one row for each run: SQLite in WAL mode, synchronous=FULL,
one commit for each batch, no index, nothing tallied and no repeated id noticed. `rows` has a column for each field;
`lines` has five of them and the line as it came, which is the least that can be called a row of a run.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np

from bench.rounds import write
from lockgate.core.batch import RunBatch
from lockgate.core.dedupe import Dedupe
from lockgate.core.summary import tally
from lockgate.operations.intake.ingest import ingest
from lockgate.wiring import local_house, run_batches

DATA = Path(__file__).resolve().parent / "data"
ROUNDS = 5
RUNS = 60_000
SIZES = (1_000, 10_000)
# Runs a second, and bytes of a run at rest.
PROMISED = {1_000: 250_000, 10_000: 400_000}
PROMISED_BYTES, PROMISED_TIMES = 60, 3
STRICT = Dedupe(is_strict=True)
PEER_TABLE = (
    "CREATE TABLE runs (run_id TEXT, app_id TEXT, release TEXT, started_at TEXT, latency_ms REAL, status TEXT,"
    " cost TEXT, input_tokens INTEGER, output_tokens INTEGER, scores TEXT, labels TEXT)"
)
LINE_TABLE = "CREATE TABLE runs (run_id TEXT, app_id TEXT, release TEXT, started_at TEXT, latency_ms REAL, line BLOB)"
FIELDS = ("run_id", "app_id", "release", "started_at", "latency_ms", "status", "cost", "input_tokens", "output_tokens")


Record = dict[str, Any]
Row = tuple[Any, ...]


class Taken(NamedTuple):
    """What one side took for all bodies: seconds by the clock, seconds of the processor, and bytes of runs at rest."""

    wall_s: float
    cpu_s: float
    at_rest: int


def main(arguments: list[str]) -> None:
    """Measure, print a line for each side and the ratios, and write bench/results/ingest.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    # Nothing works beside it: what is measured is what one core does.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    results = {str(size): measured(size, rounds) for size in SIZES}
    promised = {"runs_per_s": {str(size): rate for size, rate in PROMISED.items()}, "bytes_a_run": PROMISED_BYTES}
    write("ingest", {**results, "promised": {**promised, "times_faster": PROMISED_TIMES}, "rounds": rounds})


def measured(size: int, rounds: int) -> dict[str, object]:
    """Return the medians of all sides with batches of one size."""
    sides: dict[str, Callable[[Sequence[bytes], Path], Taken]] = {
        "lockgate": _ours,
        "strict": _strictly,
        "rows": _rows,
        "lines": _lines,
    }
    found: dict[str, list[Taken]] = {side: [] for side in sides}
    phases: list[dict[str, float]] = []
    DATA.mkdir(exist_ok=True)
    for number in range(rounds + 1):
        generator = np.random.default_rng([number, size])
        given = [body_of(generator, size) for _ in range(RUNS // size)]
        for side, take in list(sides.items())[:: (1, -1)[number % 2]]:
            with TemporaryDirectory(dir=DATA) as folder:
                taken = take(given, Path(folder))
            # The first round warms up.
            if number:
                found[side].append(taken)
        if number:
            phases.append(_phases(given))
    return _told(size, found, {name: round(median(each[name] for each in phases), 3) for name in phases[0]})


def _told(size: int, found: dict[str, list[Taken]], phases: dict[str, float]) -> dict[str, object]:
    rates = {side: RUNS / median(each.wall_s for each in taken) for side, taken in found.items()}
    at_rest = median(each.at_rest for each in found["lockgate"]) / RUNS
    faster = {
        peer: round(median(b.wall_s / a.wall_s for a, b in zip(found["lockgate"], found[peer], strict=True)), 2)
        for peer in ("rows", "lines")
    }
    print(f"batches of {size:,} runs (promised: {PROMISED[size]:,} runs/s and {PROMISED_TIMES} times a row for each)")
    for side, rate in rates.items():
        cpu = RUNS / median(each.cpu_s for each in found[side])
        print(f"  {side:10}{rate:10,.0f} runs/s {cpu:10,.0f} runs/s of processor time")
    print(f"  {faster['rows']} times the rows, {faster['lines']} times the lines")
    print(f"  {at_rest:.1f} bytes a run at rest (promised: {PROMISED_BYTES})")
    print("  ms for 1,000 runs: " + ", ".join(f"{name} {ms}" for name, ms in phases.items()))
    return {
        "runs_per_s": {side: round(rate) for side, rate in rates.items()},
        "times_faster": faster["rows"],
        "times_faster_than_lines": faster["lines"],
        "bytes_a_run": round(at_rest, 1),
        "ms_for_1000_runs": phases,
    }


def _ours(bodies: Sequence[bytes], folder: Path, dedupe: Dedupe | None = None) -> Taken:
    house, decoder = local_house(folder), run_batches()
    wall, cpu = perf_counter(), process_time()
    for body in bodies:
        ingest(decoder.decode(body, None), house, dedupe=dedupe)
    taken = perf_counter() - wall, process_time() - cpu
    return Taken(*taken, _at_rest(folder))


def _at_rest(folder: Path) -> int:
    """Return the bytes of raw runs: of their file, and of those that are not moved there yet."""
    with closing(sqlite3.connect(folder / "runs.db")) as runs:
        runs.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(sqlite3.connect(folder / "lockgate.db")) as control:
        held: int = control.execute("SELECT coalesce(sum(length(body)), 0) FROM held_segments").fetchone()[0]
    return held + (folder / "runs.db").stat().st_size


def _strictly(bodies: Sequence[bytes], folder: Path) -> Taken:
    return _ours(bodies, folder, STRICT)


def _rows(bodies: Sequence[bytes], folder: Path) -> Taken:
    return _written(bodies, folder, PEER_TABLE, _fields)


def _fields(_line: bytes, run: Record) -> Row:
    return (*(run[name] for name in FIELDS), json.dumps(run["scores"]), json.dumps(run["labels"]))


def _lines(bodies: Sequence[bytes], folder: Path) -> Taken:
    return _written(bodies, folder, LINE_TABLE, _line)


def _line(line: bytes, run: Record) -> Row:
    return (*(run[name] for name in FIELDS[:5]), line)


def _written(bodies: Sequence[bytes], folder: Path, table: str, row_of: Callable[[bytes, Record], Row]) -> Taken:
    """Write a row for each run."""
    store = sqlite3.connect(folder / "rows.db", isolation_level=None)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", table):
        store.execute(statement)
    insert = f"INSERT INTO runs VALUES ({', '.join('?' * (table.count(',') + 1))})"  # noqa: S608 -- question marks
    wall, cpu = perf_counter(), process_time()
    for body in bodies:
        rows = [row_of(line, json.loads(line)) for line in body.splitlines()]
        store.execute("BEGIN IMMEDIATE")
        store.executemany(insert, rows)
        store.execute("COMMIT")
    taken = perf_counter() - wall, process_time() - cpu
    store.close()
    return Taken(*taken, (folder / "rows.db").stat().st_size)


def _phases(bodies: Sequence[bytes]) -> dict[str, float]:
    """Return how long the parts take: decoding, tallying, and all else, which is to know ids, to pack and to commit."""
    decoder = run_batches()
    spent = {"decode": 0.0, "tally": 0.0, "rest": 0.0}
    with TemporaryDirectory(dir=DATA) as folder:
        house = local_house(Path(folder))
        for body in bodies:
            start = perf_counter()
            batch = decoder.decode(body, None)
            decoded = perf_counter()
            _tallied(batch)
            tallied = perf_counter()
            ingest(batch, house)
            spent["decode"] += decoded - start
            spent["tally"] += tallied - decoded
            spent["rest"] += perf_counter() - tallied - (tallied - decoded)
    return {name: 1e6 * seconds / RUNS for name, seconds in spent.items()}


def _tallied(batch: RunBatch) -> None:
    tally(batch.columns, batch.group, tuple((group.release, group.labels) for group in batch.groups))


def body_of(generator: np.random.Generator, size: int) -> bytes:
    """Return runs of two releases, with ids that nothing can guess and eight combinations of labels."""
    latency = np.round(generator.lognormal(6.0, 0.8, size), 3).tolist()
    cost = generator.lognormal(-4.0, 0.5, size).tolist()
    tokens = np.ceil(generator.lognormal(6.0, 1.0, (size, 2))).astype(int).tolist()
    grounded = np.round(generator.beta(8, 2, size), 3).tolist()
    draws = generator.random((size, 3)).tolist()
    ids, labels = generator.integers(0, 1 << 62, size).tolist(), generator.integers(0, 8, size).tolist()
    runs = (
        {
            "run_id": f"run-{ids[number]:016x}",
            "app_id": "claims-agent",
            "release": ("v36", "abc123")[draws[number][0] < 0.5],
            "started_at": f"2026-11-02T10:00:{number // 1000 % 60:02d}.{number % 1000:03d}Z",
            "latency_ms": latency[number],
            "status": "ok" if draws[number][1] < 0.97 else "error",
            "cost": f"{cost[number]:.6f}",
            "input_tokens": tokens[number][0],
            "output_tokens": tokens[number][1],
            "scores": {"groundedness": grounded[number], "safe": draws[number][2] < 0.99},
            "labels": {
                "intent": ("medical", "billing", "dental", "travel")[labels[number] % 4],
                "region": ("eu", "us")[labels[number] // 4],
            },
        }
        for number in range(size)
    )
    return b"".join(json.dumps(run, separators=(",", ":")).encode("utf-8") + b"\n" for run in runs)


if __name__ == "__main__":
    main(sys.argv[1:])
