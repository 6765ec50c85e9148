# SPDX-License-Identifier: Apache-2.0
"""Decisions of a few rollouts come in on machines that are set up differently; each must be made again to the byte."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.house.test_same_bytes import ELSEWHERE, HERE
from tests.replays import collected
from tests.spec.line import world
from tests.spec.replayed import lived

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.clause("RP-24")
def test_decisions_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    """Hash seed, time zone and the processor's features change no byte of what is decided."""
    here = world()
    lived(here)
    count = collected(here.house.store, here.house.org, tmp_path)

    ran = [
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / "replay_corpus.py"), str(tmp_path)],
            env=os.environ | settings | {"PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )
        for settings in (HERE, ELSEWHERE)
    ]

    assert [each.returncode for each in ran] == [0, 0]
    assert [re.findall(r"(\d+) equal, (\d+) different", each.stdout) for each in ran] == [[(str(count), "0")]] * 2
    assert "0 features" in ran[1].stdout


@pytest.mark.clause("RP-24")
def test_a_changed_decision_of_a_corpus_is_found(tmp_path: Path) -> None:
    """The comparison in the other process can fail."""
    here = world()
    lived(here)
    collected(here.house.store, here.house.org, tmp_path)
    file = next(tmp_path.glob("*.ndjson"))
    file.write_bytes(file.read_bytes().replace(b'"runs":', b'"runs":1', 1))

    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "replay_corpus.py"), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1


@pytest.mark.clause("RP-24")
def test_the_oldest_numpy_is_the_one_that_is_promised() -> None:
    """The lane installs exactly what the project's lower bound names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    lock = (ROOT / "tools" / "replay-oldest.lock").read_text(encoding="utf-8")

    least = next(each.removeprefix("numpy>=") for each in project if each.startswith("numpy"))

    assert re.findall(r"^numpy==([0-9.]+)", lock, re.MULTILINE) == [f"{least}.0" if least.count(".") == 1 else least]
