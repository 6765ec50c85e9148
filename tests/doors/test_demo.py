# SPDX-License-Identifier: Apache-2.0
"""The example files come in; they must be what their script makes, and the demonstration must come out as told."""

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


def test_the_demonstration_shows_a_clean_a_regressed_and_a_thin_candidate() -> None:
    """It leaves by 0 only if each case came out as it was made to."""
    ran = subprocess.run([sys.executable, str(EXAMPLES / "demo.py")], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    outcomes = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith(("  ✓ ", "  ✗ ", "  ? "))]
    assert [outcome for outcome in outcomes if outcome.isupper()] == ["CLEAN", "REGRESSED", "INSUFFICIENT"]
    assert "All three came out as they should." in ran.stdout
