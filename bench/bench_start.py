# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how long `lockgate --help` takes beside a bare click program goes out, as a ratio.

    PYTHONPATH=. python bench/bench_start.py [ROUNDS]

Each round starts every program in a fresh process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rounds import interleaved, milliseconds, write

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
        programs = {
            "python -c pass": starter("-c", "pass"),
            "bare click --help": starter(str(bare), "--help"),
            "lockgate --help": starter("-m", "lockgate", "--help"),
        }
        medians = milliseconds(interleaved(programs, rounds))
    ratio = round(medians["lockgate --help"] / medians["bare click --help"], 3)
    for name, time in medians.items():
        print(f"{name:20} {time:8.1f} ms")
    print(f"{'ratio':20} {ratio:8.2f}     (promised: at most {PROMISED_RATIO})")
    write("start", {"median_ms": medians, "ratio": ratio, "promised_ratio": PROMISED_RATIO, "rounds": rounds})


def starter(*arguments: str) -> Callable[[], object]:
    """Return a call that runs this Python with some arguments in a process of its own."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1:])
