# SPDX-License-Identifier: Apache-2.0
"""The unit of systemd comes in; its command must serve, and systemd must know every line of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.running import running

ROOT = Path(__file__).resolve().parents[2]
UNIT = (ROOT / "examples" / "systemd" / "lockgate.service").read_text(encoding="utf-8")
INSTALLED = "/usr/local/bin/lockgate"
OWN = str(Path(sys.executable).parent / "lockgate")


@pytest.mark.clause("PK-02")
def test_the_command_of_the_unit_serves(tmp_path: Path) -> None:
    """What the unit starts, with the folders that it names, answers, and ends by 0 at SIGTERM."""
    (command,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    (stated,) = re.findall(r"^Environment=(.*)$", UNIT, re.MULTILINE)
    environment = dict(pair.replace("/var/lib", str(tmp_path)).split("=", 1) for pair in stated.split())

    with running(command.replace(INSTALLED, OWN).split(), environment, tmp_path) as server:
        pass

    assert server.key.startswith("rvk_")
    assert (tmp_path / "lockgate").stat().st_mode & 0o077 == 0


@pytest.mark.interop
@pytest.mark.clause("PK-02")
def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    """The system itself finds nothing wrong, and rates what the unit may do as little."""
    unit = tmp_path / "lockgate.service"
    unit.write_text(UNIT.replace(INSTALLED, OWN), encoding="utf-8")

    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (verified.returncode, verified.stderr) == (0, "")
    assert rated.returncode == 0, rated.stdout[-2_000:]
