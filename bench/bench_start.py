# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long `lockgate --help` takes beside a bare click program goes out, as a ratio.

    python bench/bench_start.py [ROUNDS]

Both run in turn, in fresh processes, so that what else the machine does falls on both alike.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

RESULT = Path(__file__).resolve().parent / "results" / "start.json"
ROUNDS = 21
PROMISED_RATIO = 2.5

BARE = """
import click

@click.group()
def bare():
    "A program that does nothing."

@bare.command()
@click.option("--name", help="A name.")
def hello(name):
    "Say hello."
    click.echo(name)

bare()
"""


def main(arguments: list[str]) -> None:
    """Measure, print a line per program and the ratio, and write bench/results/start.json."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    with TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "bare click --help": [sys.executable, str(bare), "--help"],
            "lockgate --help": [sys.executable, "-m", "lockgate", "--help"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            _seconds(command)
        for _ in range(rounds):
            for name, command in commands.items():
                times[name].append(_seconds(command))
    medians = {name: round(1000 * median(seconds), 2) for name, seconds in times.items()}
    ratio = round(medians["lockgate --help"] / medians["bare click --help"], 3)
    for name, milliseconds in medians.items():
        print(f"{name:20} {milliseconds:8.1f} ms")
    print(f"{'ratio':20} {ratio:8.2f}     (promised: at most {PROMISED_RATIO})")
    result = {
        "median_ms": medians,
        "ratio": ratio,
        "promised_ratio": PROMISED_RATIO,
        "rounds": rounds,
        "python": platform.python_version(),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:])
