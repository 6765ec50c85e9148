# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; three files of sample runs, the same every time, go out.

    python examples/make_runs.py examples/runs

`clean.ndjson`: abc123 is as good as v36.
`regressed.csv`: abc123 fails more often.
`thin.ndjson`: abc123 has hardly run.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

Run = dict[str, object]

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
RUN_RATE_S = 2.5


@dataclass(frozen=True)
class Behaviour:
    """How a release behaves: how often it fails, how slow it is, how well its answers are grounded."""

    error_rate: float
    median_ms: float
    groundedness: float


LEVEL = Behaviour(error_rate=0.02, median_ms=420.0, groundedness=0.86)
BROKEN = Behaviour(error_rate=0.075, median_ms=435.0, groundedness=0.85)


@dataclass(frozen=True)
class Case:
    """One file: two releases, how each behaves, and how many runs of each there are."""

    name: str
    suffix: str
    seed: int
    candidate: Behaviour
    sizes: tuple[int, int]


CASES = (
    Case("clean", ".ndjson", 36, LEVEL, (700, 700)),
    Case("regressed", ".csv", 37, BROKEN, (700, 700)),
    Case("thin", ".ndjson", 38, LEVEL, (300, 18)),
)


def runs_of(case: Case) -> Iterator[Run]:
    """Yield the runs of a case, both releases mixed in the order of their start."""
    random = Random(case.seed)  # noqa: S311 -- the same runs every time
    releases = ["v36"] * case.sizes[0] + ["abc123"] * case.sizes[1]
    random.shuffle(releases)
    at = START
    for number, release in enumerate(releases, 1):
        at += timedelta(milliseconds=round(1000 * random.expovariate(1 / RUN_RATE_S)))
        yield _run(random, LEVEL if release == "v36" else case.candidate, f"r{number:05}", release, at)


def _run(random: Random, behaviour: Behaviour, run_id: str, release: str, at: datetime) -> Run:
    latency = behaviour.median_ms * random.lognormvariate(0.0, 0.55)
    fate = random.random()
    status = "error" if fate < behaviour.error_rate else "ok"
    score = 1 - random.betavariate(2, 2 * behaviour.groundedness / (1 - behaviour.groundedness))
    return {
        "run_id": run_id,
        "release": release,
        "started_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": status,
        "latency_ms": round(latency, 1),
        "cost": round(0.0021 * random.lognormvariate(0.0, 0.3), 6),
        **({"scores.groundedness": round(score, 3)} if status == "ok" else {}),
    }


def write_case(case: Case, folder: Path) -> Path:
    """Write one case and return its path."""
    path = folder / f"{case.name}{case.suffix}"
    with path.open("w", encoding="utf-8", newline="") as file:
        if case.suffix == ".csv":
            columns = ["run_id", "release", "started_at", "status", "latency_ms", "cost", "scores.groundedness"]
            table = csv.DictWriter(file, columns, lineterminator="\n")
            table.writeheader()
            table.writerows(runs_of(case))
        else:
            file.writelines(json.dumps(_nested(run), separators=(",", ":")) + "\n" for run in runs_of(case))
    return path


def _nested(run: Run) -> Run:
    score = run.pop("scores.groundedness", None)
    return run if score is None else {**run, "scores": {"groundedness": score}}


def main(arguments: list[str]) -> None:
    """Write every case into the folder that is named."""
    if len(arguments) != 1:
        raise SystemExit("usage: make_runs.py FOLDER")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        print(write_case(case, folder))


if __name__ == "__main__":
    main(sys.argv[1:])
