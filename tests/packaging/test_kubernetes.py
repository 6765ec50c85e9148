# SPDX-License-Identifier: Apache-2.0
"""The CronJob of Kubernetes comes in; its command, by the key that it asks for, must tick and be able to do no more."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from lockgate.testing.world import Law
from tests.docs.served import served
from tests.packaging.running import Running, running

FILE = Path(__file__).resolve().parents[2] / "examples" / "kubernetes" / "cronjob.yaml"
TEXT = FILE.read_text(encoding="utf-8")
SECRET, CRON = yaml.safe_load_all(TEXT)
POD: dict[str, Any] = CRON["spec"]["jobTemplate"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]
OWN = str(Path(sys.executable).parent / "lockgate")


def call(words: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of Lockgate."""
    return subprocess.run(
        [OWN, *words], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


def set_for(server: Running, key: str) -> dict[str, str]:
    """Return the environment of the container, with its secret and its network filled in."""
    found = {}
    for each in CONTAINER["env"]:
        source = each.get("valueFrom", {}).get("secretKeyRef")
        if source is not None:
            assert (source["name"], source["key"] in SECRET["stringData"]) == (SECRET["metadata"]["name"], True)
        found[each["name"]] = key if source is not None else each["value"]
    return found | {"LOCKGATE_URL": server.url}


@pytest.mark.clause("PK-05")
def test_the_job_ticks_by_a_key_that_may_do_nothing_else(tmp_path: Path) -> None:
    """The key of the file's comment is enough for a turn of every rollout, and opens neither lists nor kills."""
    rollout = served(tmp_path, Law(error_rate=0.2))
    home = {"LOCKGATE_HOME": str(tmp_path / "home"), "LOCKGATE_STATE": str(tmp_path / "state")}
    (stated,) = re.findall(r"# lockgate (keys create .*)", TEXT)
    key = call(shlex.split(stated), home).stdout.strip()

    with running([OWN, "serve"], home, tmp_path) as server:
        ticked = call(CONTAINER["args"], set_for(server, key))
        by_key: dict[str, Any] = {"headers": {"authorization": f"Bearer {key}"}, "timeout": 30, "trust_env": False}
        listed = httpx.get(f"{server.url}/api/v1/rollouts", **by_key)
        killed = httpx.post(f"{server.url}/api/v1/kill", json={"reason": "no"}, **by_key)

    assert ticked.returncode == 0, ticked.stderr
    assert rollout in ticked.stdout
    assert "rollback" in ticked.stdout
    assert (listed.status_code, killed.status_code) == (403, 403)


@pytest.mark.clause("PK-05")
def test_the_job_is_bounded_and_no_root() -> None:
    """One job runs at a time, ends before the next begins, and may change nothing of its own machine."""
    spec = CRON["spec"]

    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("* * * * *", "Forbid")
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 60
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    limits = CONTAINER["securityContext"]
    assert (limits["allowPrivilegeEscalation"], limits["readOnlyRootFilesystem"]) == (False, True)
