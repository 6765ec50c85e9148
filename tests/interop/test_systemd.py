# SPDX-License-Identifier: Apache-2.0
"""The unit of systemd comes in; systemd itself must know every line of it, and its sets of calls must be enough."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.packaging.filtered import named_sets
from tests.packaging.test_systemd import INSTALLED, OWN, UNIT, serves_under

pytestmark = pytest.mark.interop


def said(*words: str) -> str:
    """Return what systemd says of something."""
    ran = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, f"{ran.stdout[-2_000:]}{ran.stderr}"
    return ran.stdout


def calls_of(name: str) -> set[str]:
    """Return the calls of a set, and of the sets within it."""
    first, *lines = said("syscall-filter", "--no-pager", name).split("\n")
    assert first == name
    found = {line.strip() for line in lines if line.strip() and not line.strip().startswith("#")}
    inner = {each for each in found if each.startswith("@")}
    return (found - inner).union(*map(calls_of, inner))


@pytest.mark.clause("PK-02")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    """The system itself finds nothing wrong, and rates what the unit may do as little."""
    unit = tmp_path / "lockgate.service"
    unit.write_text(UNIT.replace(INSTALLED, OWN), encoding="utf-8")

    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert said("security", "--no-pager", "--offline=yes", "--threshold=20", str(unit))


@pytest.mark.clause("SV-1020")
def test_the_server_needs_no_call_that_this_systemd_refuses(tmp_path: Path) -> None:
    """With the sets as the systemd of this machine has them it does the same as with those of the table."""
    serves_under({name: calls_of(name) for name in named_sets(UNIT)}, tmp_path)
