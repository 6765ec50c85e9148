# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; `lockgate compare` answers for a clean, a regressed and a thin candidate, in a terminal.

Exits 0 only if each answer is the one that its data was made for.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from make_runs import CASES, write_case

EXPECTED = {
    "clean": (0, "a pipeline goes on"),
    "regressed": (1, "a pipeline stops here"),
    "thin": (3, "a pipeline waits for more runs, or goes on with --allow-thin"),
}


def main() -> int:
    """Show the three cases and return 0 if all came out as they should."""
    wrong = 0
    with TemporaryDirectory() as folder:
        for case in CASES:
            path = write_case(case, Path(folder))
            print(f"\n$ lockgate compare --baseline v36 --candidate abc123 {path.name}", flush=True)
            code = compare(path)
            expected, meaning = EXPECTED[case.name]
            wrong += code != expected
            print(f"\n  exit code {code}: {meaning if code == expected else f'expected {expected}'}", flush=True)
    print("\nAll three came out as they should." if not wrong else f"\n{wrong} of 3 came out otherwise.")
    return 1 if wrong else 0


def compare(path: Path) -> int:
    """Run the command on one file, its output straight to the terminal, and return its exit code."""
    command = [sys.executable, "-m", "lockgate", "compare", "--baseline", "v36", "--candidate", "abc123", path.name]
    return subprocess.run(command, cwd=path.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
