# SPDX-License-Identifier: Apache-2.0
"""The first steps of README and tutorial are typed in an empty folder; what follows on the page must work there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SET_UP = re.compile(r"^(?:\$ )?(export PATH=.*)\n(?:\$ )?(mkdir .*)$", re.MULTILINE)
FIRST = "lockgate compare -b v36 -c abc123 --quiet examples/runs/regressed.csv; python examples/traffic.py --help"


@pytest.mark.clause("LC-45")
@pytest.mark.parametrize(("page", "folder"), [("README.md", "try"), ("docs/tutorial.md", "tutorial")])
def test_a_page_says_where_its_commands_are_typed(page: str, folder: str, tmp_path: Path) -> None:
    """Whoever begins with nothing clones, stands where the page says, and finds the program and the examples."""
    text = (ROOT / page).read_text(encoding="utf-8")
    clone = tmp_path / "lockgate"
    shutil.copytree(ROOT / "examples", clone / "examples")
    (clone / ".venv").mkdir()
    (clone / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    found = SET_UP.search(text)
    assert found is not None
    script = "\n".join(("set -e", *found.groups(), "set +e", FIRST, "pwd; echo $LOCKGATE_HOME"))

    ran = subprocess.run(
        ["bash", "-c", script],
        check=False,
        cwd=clone,
        env={**os.environ, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )

    assert "git clone <this repository> lockgate && cd lockgate" in text
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-2:] == [str(tmp_path / folder), f"{clone}/../{folder}/home"]
