# SPDX-License-Identifier: Apache-2.0
"""The job of docs/howto/ci-rollout.md comes in; run as it stands, it must end as the candidate deserves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.core.decision.decision import Action
from lockgate.operations.create import Order, create
from lockgate.operations.queries import explain
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.testing.world import MINUTE, Law, World, WorldClock
from lockgate.wiring import signers, sqlite_store, system_clock

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "ci-rollout.md"
(JOB,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
# Stands for jq, which a machine may lack: it prints the one field that the job asks for.
JQ = f'#!{sys.executable}\nimport json, sys\nassert sys.argv[1:] == ["-r", ".id"]\nprint(json.load(sys.stdin)["id"])\n'


APP, BASELINE, CANDIDATE = "claims-agent", "v36", "abc123"
POLICY = {"mode": "canary", "steps": "5,25,50,100", "min_runs": 30}
LAST = 2


def job(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's script in a folder, with the store there."""
    (folder / "bin").mkdir()
    (folder / "bin" / "jq").write_text(JQ, encoding="utf-8")
    (folder / "bin" / "jq").chmod(0o700)
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "LOCKGATE_HOME": str(folder / "home"), "GIT_SHA": CANDIDATE}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", JOB],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def served(folder: Path, candidate: Law) -> str:
    """Declare what the job declares two hours ago, serve traffic until its last turn is due, and return its id."""
    store, keys = sqlite_store(folder / "home"), signers(folder / "home" / "keys")
    world = World(store)
    world.clock = WorldClock(system_clock().now() - 120 * MINUTE * 1_000)
    world.house = House(store, world.clock, keys)
    laws = {BASELINE: Law(), CANDIDATE: candidate}
    world.serve(APP, 500, laws, BASELINE)
    order = Order(app=APP, baseline=BASELINE, candidate=CANDIDATE, policy=POLICY)
    rollout = create(order, world.house).rollout
    for _ in range(100):
        world.serve(APP, 4_000, laws, BASELINE)
        world.clock.advance(MINUTE)
        due = explain(rollout.id, world.house)
        is_last = due.decision.action is Action.PROMOTE and due.rollout.step == LAST
        if is_last or due.decision.action is Action.ROLLBACK:
            return rollout.id
        tick(rollout.id, world.house)
    raise AssertionError(f"after 100 minutes the rollout still waits: {due.decision.reason}")


@pytest.mark.clause("LC-04", "LC-12")
@pytest.mark.parametrize(
    ("error_rate", "code", "said"), [(0.01, 0, "promote (satisfied)"), (0.2, 1, "rollback (regression)")]
)
def test_the_job_ends_as_the_candidate_deserves(error_rate: float, code: int, said: str, tmp_path: Path) -> None:
    """A job that begins again while its rollout is active gets the same one, and its exit code is the gate."""
    rollout = served(tmp_path, Law(error_rate=error_rate))

    ran = job(tmp_path)

    assert (ran.returncode, ran.stderr) == (code, "")
    assert f"{rollout}  " in ran.stdout
    assert said in ran.stdout
