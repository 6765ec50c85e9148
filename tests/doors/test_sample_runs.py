# SPDX-License-Identifier: Apache-2.0
"""The example files come in; they must be what their script makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_sample_runs_are_what_their_script_makes(tmp_path: Path) -> None:
    """Whoever doubts the data makes it again."""
    subprocess.run([sys.executable, str(EXAMPLES / "make_runs.py"), str(tmp_path)], check=True, capture_output=True)

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (EXAMPLES / "runs").iterdir()}
