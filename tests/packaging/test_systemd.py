# SPDX-License-Identifier: Apache-2.0
"""The unit of systemd comes in; its command must serve, also with no other system calls than the unit leaves it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from lockgate.testing.world import Law
from tests.docs.served import APP, served
from tests.packaging.filtered import Sets, committed_sets, under
from tests.packaging.running import running

ROOT = Path(__file__).resolve().parents[2]
UNIT = (ROOT / "examples" / "systemd" / "lockgate.service").read_text(encoding="utf-8")
INSTALLED = "/usr/local/bin/lockgate"
OWN = str(Path(sys.executable).parent / "lockgate")
RUNS = ROOT / "examples" / "runs" / "clean.ndjson"


def command_of(unit: str) -> list[str]:
    """Return what a unit starts, from this environment."""
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    return str(command).replace(INSTALLED, OWN).split()


def environment_of(unit: str, folder: Path) -> dict[str, str]:
    """Return the settings of a unit, with its folders inside another one."""
    (stated,) = re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    return dict(pair.replace("/var/lib", str(folder)).split("=", 1) for pair in stated.split())


def serves_under(sets: Sets, folder: Path) -> None:
    """Serve under the unit's filter; whoever calls and what is called find all there is."""
    served(folder, Law(error_rate=0.2))
    told = folder / "told"
    environment = environment_of(UNIT, folder) | {"LOCKGATE_HOME": str(folder / "home")}
    lockgate(environment, "actuator", "set", "--app-id", APP, "--", "sh", "-c", f"cat >> '{told}'")

    with running(under(UNIT, sets, folder, command_of(UNIT)), environment, folder) as server:
        ready = httpx.get(f"{server.url}/readyz", timeout=30, trust_env=False)
        ingested = lockgate(environment | server.environment, "ingest", "--app-id", APP, str(RUNS))
        lockgate(environment | server.environment, "tick", "--all")
        # The server tells it in its own time, and it may have decided before it was asked.
        for _ in range(600):
            if told.exists() and "rollout.rollback" in told.read_text(encoding="utf-8"):
                break
            time.sleep(0.1)

    assert ready.status_code == 200, ready.text
    assert "1,400 runs" in ingested
    assert "rollout.rollback" in told.read_text(encoding="utf-8")


def lockgate(environment: dict[str, str], *words: str) -> str:
    """Run a command of Lockgate, which must do what it is asked, and return what it says."""
    ran = subprocess.run(
        [OWN, *words], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.clause("PK-02")
def test_the_command_of_the_unit_serves(tmp_path: Path) -> None:
    """What the unit starts, with the folders that it names, answers, and ends by 0 at SIGTERM."""
    with running(command_of(UNIT), environment_of(UNIT, tmp_path), tmp_path) as server:
        pass

    assert server.key.startswith("rvk_")
    assert (tmp_path / "lockgate").stat().st_mode & 0o077 == 0


@pytest.mark.clause("SV-1020")
def test_the_server_needs_no_call_that_the_unit_refuses(tmp_path: Path) -> None:
    """Under the unit's filter it is ready, keeps runs, decides, and runs the program that moves traffic."""
    serves_under(committed_sets(), tmp_path)
