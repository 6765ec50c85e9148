# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long `lockgate compare` takes on large files, and how much memory, beside pandas goes out.

    PYTHONPATH=. python bench/bench_compare.py [ROUNDS]

Runs are generated once, seeded, under bench/data. Each round starts every program in a fresh process.
pandas does the same with its own means: it reads the file, drops repeated ids, and compares error rates
(statsmodels' Newcombe interval), mean costs (its Welch interval) and p95 of latency (a quantile for each release).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple

import duckdb
import numpy as np

from bench.rounds import write

DATA = Path(__file__).resolve().parent / "data"
ROUNDS = 3
LINES = 1_000_000
ROWS = 10_000_000
BATCH = 100_000
MIB = 1 << 20
# Seconds and MiB.
PROMISED = {"ndjson": (4.0, 400.0), "parquet": (6.0, 1_536.0)}
# Exit codes of a verdict, whichever it is: equal releases too are called regressed at times.
ANSWERED = {0, 1, 3}
RELEASES = ("v36", "abc123")

PEER = """
import sys
import numpy as np
import pandas as pd
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

path = sys.argv[1]
runs = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_json(path, lines=True, dtype={"cost": float})
runs = runs.drop_duplicates(["release", "run_id"])
before, after = (runs[runs.release == release] for release in ("v36", "abc123"))
failed = [(part.status.isin(["error", "timeout"]).sum(), part.status.ne("cancelled").sum()) for part in (after, before)]
print(confint_proportions_2indep(*failed[0], *failed[1], method="newcomb"))
means = CompareMeans(DescrStatsW(after.cost.astype(float)), DescrStatsW(before.cost.astype(float)))
print(means.tconfint_diff(usevar="unequal"))
print([part.latency_ms.quantile([0.5, 0.95, 0.99]).tolist() for part in (before, after)])
for name in ("input_tokens", "output_tokens"):
    print(name, before[name].mean(), after[name].mean())
scores = [pd.DataFrame(part.scores.tolist()) for part in (before, after)]
print([frame.mean(numeric_only=True).to_dict() for frame in scores], [frame.safe.mean() for frame in scores])
"""

# A process begins with the peak of the one that it was forked from, so a small one starts what is measured.
GAUGE = """
import json, resource, subprocess, sys, time

start = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.perf_counter() - start
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, wall, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024]))
"""


class Use(NamedTuple):
    """What one process took: seconds on the wall, seconds of processors, and its largest memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def main(arguments: list[str]) -> None:
    """Measure, print a line per program and the ratios, and write bench/results/compare.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    results = {
        "ndjson": measured(_file("runs.ndjson", _write_ndjson), rounds) | {"runs": LINES},
        "parquet": measured(_file("runs.parquet", _write_parquet), rounds) | {"runs": ROWS},
    }
    for name, result in results.items():
        _say(name, result)
    promised = {name: {"wall_s": wall, "peak_mib": peak} for name, (wall, peak) in PROMISED.items()}
    write("compare", {**results, "promised": promised, "rounds": rounds, "cores": os.cpu_count()})


def measured(path: Path, rounds: int) -> dict[str, object]:
    """Return the medians of both programs on one file, taken in turn, and how many times lighter Lockgate is."""
    programs = {
        "lockgate": ["-m", "lockgate", "compare", "--baseline", RELEASES[0], "--candidate", RELEASES[1], str(path)],
        "pandas + statsmodels": ["-c", PEER, str(path)],
    }
    uses: dict[str, list[Use]] = {name: [] for name in programs}
    _warm(path)
    for _ in range(rounds):
        for name, command in programs.items():
            uses[name].append(use_of([sys.executable, *command]))
    medians = {name: Use(*(round(median(part), 3) for part in zip(*each, strict=True))) for name, each in uses.items()}
    ours, theirs = medians["lockgate"], medians["pandas + statsmodels"]
    return {
        "bytes": path.stat().st_size,
        **{name: use._asdict() for name, use in medians.items()},
        "times_faster": round(theirs.wall_s / ours.wall_s, 2),
        "times_smaller": round(theirs.peak_mib / ours.peak_mib, 2),
    }


def use_of(command: list[str]) -> Use:
    """Run a command and return what it took."""
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", GAUGE, *command], stdout=subprocess.PIPE, check=True)
    code, *use = json.loads(ran.stdout)
    if code not in ANSWERED:
        raise SystemExit(f"{command[1:3]} left by {code}")
    return Use(*use)


def _warm(path: Path) -> None:
    """Read the file once, so that every program finds it in the system's cache."""
    with path.open("rb") as file:
        while file.read(MIB):
            pass


def _say(name: str, result: Mapping[str, object]) -> None:
    wall, peak = PROMISED[name]
    print(f"{result['runs']:,} runs, {name}, {result['bytes']:,} bytes (promised: under {wall:g} s and {peak:g} MiB)")
    for program in ("lockgate", "pandas + statsmodels"):
        use = result[program]
        assert isinstance(use, dict)
        print(f"  {program:22}{use['wall_s']:8.2f} s {use['cpu_s']:8.2f} s cpu {use['peak_mib']:8.0f} MiB")
    print(f"  {result['times_faster']} times faster, {result['times_smaller']} times smaller")


def _file(name: str, fill: Callable[[Path], None]) -> Path:
    DATA.mkdir(exist_ok=True)
    path = DATA / name
    if not path.exists():
        unfinished = path.with_name(f"unfinished-{name}")
        fill(unfinished)
        unfinished.rename(path)
    return path


def _write_ndjson(path: Path) -> None:
    generator = np.random.default_rng(36)
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, LINES, BATCH):
            file.writelines(json.dumps(run, separators=(",", ":")) + "\n" for run in _runs(generator, start))


def _runs(generator: np.random.Generator, start: int) -> list[dict[str, object]]:
    """Return runs of two equal releases, about 280 bytes each."""
    latency = np.round(generator.lognormal(6.0, 0.8, BATCH), 3).tolist()
    cost = generator.lognormal(-4.0, 0.5, BATCH).tolist()
    tokens = np.ceil(generator.lognormal(6.0, 1.0, (BATCH, 2))).astype(int).tolist()
    grounded = np.round(generator.beta(8, 2, BATCH), 3).tolist()
    draws = generator.random((BATCH, 3)).tolist()
    return [
        {
            "run_id": f"run-{start + number:016x}",
            "app_id": "claims-agent",
            "release": RELEASES[draws[number][0] < 0.5],
            "started_at": f"2026-11-02T10:{number // 1000 % 60:02d}:{number % 60:02d}.{number % 1000:03d}Z",
            "latency_ms": latency[number],
            "status": "ok" if draws[number][1] < 0.97 else "error",
            "cost": f"{cost[number]:.6f}",
            "input_tokens": tokens[number][0],
            "output_tokens": tokens[number][1],
            "scores": {"groundedness": grounded[number], "safe": draws[number][2] < 0.99},
            "labels": {"intent": "medical" if number % 3 else "billing"},
        }
        for number in range(BATCH)
    ]


def _write_parquet(path: Path) -> None:
    """Write rows that follow from their number, so that they need no generator."""
    uniform = "(hash(i * 16 + {}) % 1000000 + 1) / 1000001.0"
    normal = f"sqrt(-2 * ln({uniform.format(1)})) * cos(2 * pi() * {uniform.format(2)})"
    query = f"""
        SELECT 'run-' || printf('%016x', i) AS run_id, 'claims-agent' AS app_id,
            CASE WHEN {uniform.format(3)} < 0.5 THEN '{RELEASES[0]}' ELSE '{RELEASES[1]}' END AS release,
            TIMESTAMP '2026-11-02 10:00:00' + INTERVAL (i) MILLISECOND AS started_at,
            round(exp(6 + 0.8 * {normal}), 3) AS latency_ms,
            CASE WHEN {uniform.format(4)} < 0.97 THEN 'ok' ELSE 'error' END AS status,
            round(exp(-4 + 0.5 * {normal}), 6) AS cost,
            CAST(ceil(exp(6 + {normal})) AS INTEGER) AS input_tokens,
            CAST(ceil(exp(5 + {normal})) AS INTEGER) AS output_tokens,
            {{'groundedness': round(0.5 + {uniform.format(5)} / 2, 3), 'safe': {uniform.format(6)} < 0.99}} AS scores,
            {{'intent': CASE WHEN i % 3 = 0 THEN 'billing' ELSE 'medical' END}} AS labels
        FROM range({ROWS}) t(i)
    """  # noqa: S608 -- texts of this file
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main(sys.argv[1:])
