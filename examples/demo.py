# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; `lockgate compare` answers for a clean, a regressed and a thin candidate, in a terminal.

Exits 0 only if each answer is the one that its data was made for.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# What make_runs.py makes; named from here, so that a command can be typed again.
RUNS = "examples/runs"


class Case(NamedTuple):
    """One file of runs: the exit code that it was made for, and what a pipeline does with that."""

    file: str
    code: int
    meaning: str


CASES = (
    Case("clean.ndjson", 0, "clean: a pipeline goes on"),
    Case("regressed.csv", 1, "regressed: a pipeline stops here"),
    Case("thin.ndjson", 3, "not enough to tell: a pipeline gathers more runs, or goes on with --allow-thin"),
)


def main() -> int:
    """Show the three cases and return 0 if all came out as they should."""
    wrong = 0
    for case in CASES:
        path = f"{RUNS}/{case.file}"
        print(f"\n$ lockgate compare --baseline v36 --candidate abc123 {path}", flush=True)
        code = compare(path)
        said = case.meaning if code == case.code else f"but {case.code} was expected"
        print(f"\n  exit code {code}  {said}", flush=True)
        wrong += code != case.code
    print("\nAll three came out as they should." if not wrong else f"\n{wrong} of 3 came out otherwise.")
    return 1 if wrong else 0


def compare(path: str) -> int:
    """Run the command on one file, its output straight to the terminal, and return its exit code."""
    command = [sys.executable, "-m", "lockgate", "compare", "--baseline", "v36", "--candidate", "abc123", path]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
