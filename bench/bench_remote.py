# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long `lockgate show` over HTTP takes beside a bare click program goes out, as a ratio.

    PYTHONPATH=. python bench/bench_remote.py [ROUNDS]

Each round starts every program in a fresh process; the server runs all the while, on a store with a rollout and runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.bench_start import BARE, starter
from bench.rounds import interleaved, milliseconds, write

ROUNDS = 21
PROMISED_RATIO = 2.5
RUNS = 2_000
ADDRESS = "Lockgate answers at "


def main(arguments: list[str]) -> None:
    """Measure, print a line per program and the ratio, and write bench/results/remote.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    with TemporaryDirectory() as name:
        folder = Path(name)
        bare = folder / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        here = {**os.environ, "LOCKGATE_HOME": str(folder / "home"), "LOCKGATE_STATE": str(folder / "state")}
        here.pop("LOCKGATE_URL", None)
        rollout = _rollout(folder, here)
        with _server(here) as url:
            programs = {
                "bare click --help": starter(str(bare), "--help"),
                "lockgate show, HTTP": _shower(rollout, {**here, "LOCKGATE_URL": url}),
                "lockgate show, local": _shower(rollout, here),
            }
            medians = milliseconds(interleaved(programs, rounds))
    ratio = round(medians["lockgate show, HTTP"] / medians["bare click --help"], 3)
    for label, time in medians.items():
        print(f"{label:22} {time:8.1f} ms")
    print(f"{'ratio':22} {ratio:8.2f}     (promised: at most {PROMISED_RATIO})")
    write("remote", {"median_ms": medians, "ratio": ratio, "promised_ratio": PROMISED_RATIO, "rounds": rounds})


def _called(*words: str) -> list[str]:
    return [sys.executable, "-m", "lockgate", *words]


def _shower(rollout: str, environment: dict[str, str]) -> Callable[[], object]:
    command = _called("show", rollout)
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)


def _rollout(folder: Path, environment: dict[str, str]) -> str:
    """Return the id of a rollout in a new store, whose two releases have runs."""
    runs = folder / "runs.ndjson"
    lines = [
        {
            "app_id": "web",
            "release": ("v36", "v37")[number % 2],
            "run_id": str(number),
            "status": "error" if number % 97 == 0 else "ok",
            "latency_ms": 100 + number % 50,
        }
        for number in range(RUNS)
    ]
    runs.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    subprocess.run(_called("ingest", str(runs)), check=True, env=environment, stdout=subprocess.DEVNULL)
    words = ("create", "--app-id", "web", "-b", "v36", "-c", "v37", "--since", "2h", "--quiet")
    made = subprocess.run(_called(*words), check=True, env=environment, capture_output=True, text=True)
    return made.stdout.strip()


@contextmanager
def _server(environment: dict[str, str]) -> Iterator[str]:
    """Serve a store to this machine, and hand out the address."""
    command = _called("serve", "--dev", "--port", "0", "--rate", "0")
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            told = next(line for line in process.stderr if line.startswith(ADDRESS))
            yield told.removeprefix(ADDRESS).strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    main(sys.argv[1:])
