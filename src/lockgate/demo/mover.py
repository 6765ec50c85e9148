# SPDX-License-Identifier: Apache-2.0
"""What a webhook asks for comes in as LOCKGATE_* of the environment; the demonstration's router has it, and says so.

It is the program of the example receiver. Each weight that the router then says it has is written down in the folder of
the demonstration, and is the last line that is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from lockgate.demo.choice import ROUTER, chosen_in
from lockgate.demo.router import Router

JOURNAL = "applied.ndjson"
# The receiver passes on few variables, and none by which Python may have found this package.
BEGIN = """\
import os, sys
sys.path.append(sys.argv[1])
from lockgate.demo.mover import main
main(sys.argv[2], os.environ)
"""


def command_of(folder: Path) -> list[str]:
    """Return how the receiver runs it."""
    return [sys.executable, "-c", BEGIN, str(Path(__file__).parents[2]), str(folder)]


def journal_of(folder: Path) -> list[tuple[str, int, float]]:
    """Return what was carried out: rollout, number of its receipt, and the weight that the router then had."""
    path = folder / JOURNAL
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(told["rollout"], told["seq"], told["weight"]) for told in map(json.loads, lines)]


def move(told: Mapping[str, str], router: Router) -> float:
    """Give the candidate its weight and the rest to what is trusted, and return what the router says."""
    weight, candidate = round(float(told["LOCKGATE_WEIGHT"])), told["LOCKGATE_CANDIDATE"]
    rest = {told["LOCKGATE_TARGET"]: 100 - weight} if told["LOCKGATE_TARGET"] else {}
    router.move({**rest, candidate: weight})
    return float(router.weight(candidate))


def main(folder: str, told: Mapping[str, str]) -> None:
    """Move the router of the demonstration, write down what it has, and say it."""
    live = move(told, chosen_in(Path(folder) / ROUTER))
    line = {"rollout": told["LOCKGATE_ROLLOUT"], "seq": int(told["LOCKGATE_SEQ"]), "weight": live}
    with (Path(folder) / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write(f"{json.dumps(line)}\n")
    sys.stdout.write(f"{json.dumps({'weight': live})}\n")
