# SPDX-License-Identifier: Apache-2.0
"""A process of its own exports a short and a long rollout of one store; the long one must take it little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.line import Line
from lockgate.operations.tick import tick

APP, RUNS, TICKS_OF_BUCKET = "app", 40, 3
FEW, MANY = 100, 2_000
MEBIBYTE = 1 << 20
# What spools hold at most, the release record of so many receipts, and what Python keeps of what it had.
MOST = 48 * MEBIBYTE
EXPORT = """
import resource, sys
from pathlib import Path
from bench.line import Line
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.report.bundle_pages import bundle_pages

folder, *rollouts = sys.argv[1:]
house = Line(Path(folder) / "home").house
for number, rollout in enumerate(rollouts):
    file = Path(folder) / f"{number}.zip"
    with bundle(Wanted(rollout_id=rollout, pages=bundle_pages), house) as made, file.open("wb") as written:
        written.writelines(made.pieces())
    print(made.receipts, file.stat().st_size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
# A process begins with the peak of the one that started it; that of a shell is small.
SHELL = ("sh", "-c", '"$@"; exit $?', "sh")


@pytest.mark.slow
@pytest.mark.clause("EX-07")
def test_a_bundle_of_many_receipts_takes_little_memory(tmp_path: Path) -> None:
    """Several times more than is held at any time goes through it."""
    here = Line(tmp_path / "home")
    rollouts = [_history(here, count) for count in (FEW, MANY)]

    command = [*SHELL, sys.executable, "-c", EXPORT, str(tmp_path), *rollouts]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    (few, _, before), (many, size, after) = (map(int, line.split()) for line in said.splitlines())
    # The peak is counted in bytes on a Mac, and else in kibibytes.
    grown = (after - before) * (1 if sys.platform == "darwin" else 1024)
    assert (few, many) == (FEW, MANY)
    assert grown < MOST < size / 1.5


def _history(here: Line, receipts: int) -> str:
    """Let a shadow rollout write so many receipts."""
    rollout = here.start(f"{APP}-{receipts}", "shadow")
    for number in range(receipts - 1):
        if number % TICKS_OF_BUCKET == 0:
            here.serve([f"{APP}-{receipts}"], RUNS)
            here.seal()
        tick(rollout, here.house)
    return rollout
