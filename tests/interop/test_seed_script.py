# SPDX-License-Identifier: Apache-2.0
"""A script that was written for another rollout service comes in; with names replaced it must gate a deploy by ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.testing.world import Law
from tests.docs.served import CANDIDATE, served
from tests.interop.routers import part

SCRIPT = r"""
# Declare a canary for the new build against the last good release.
ID=$(prova-rollout create \
  --app-id claims-agent \
  --baseline v36 \
  --candidate "$GIT_SHA" \
  --mode canary \
  --steps 5,25,50,100 \
  --min-runs 30 \
  --json | jq -r .id)
# Block until Prova promotes or rolls it back. Fails the job on a rollback.
prova-rollout watch --id "$ID" --interval 30 --timeout 3600
"""
NAMES = {"prova-rollout": "lockgate", "Prova": "Lockgate"}


@pytest.mark.interop
@pytest.mark.clause("LI-168")
@pytest.mark.parametrize(("error_rate", "code"), [(0.01, 0), (0.2, 1)])
def test_the_script_gates_a_deploy_with_only_names_replaced(error_rate: float, code: int, tmp_path: Path) -> None:
    """Nothing but bash, jq and our command takes part, in either outcome."""
    part("jq")
    served(tmp_path, Law(error_rate=error_rate))
    script = SCRIPT
    for theirs, ours in NAMES.items():
        script = script.replace(theirs, ours)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=os.environ | {"PATH": path, "LOCKGATE_HOME": str(tmp_path / "home"), "GIT_SHA": CANDIDATE},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (code, "")
