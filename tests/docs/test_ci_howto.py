# SPDX-License-Identifier: Apache-2.0
"""The job of docs/howto/ci-rollout.md comes in; run as it stands, it must end as the candidate deserves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.testing.world import Law
from tests.docs.served import CANDIDATE, served

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "ci-rollout.md"
(JOB,) = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
# Stands for jq, which a machine may lack: it prints the one field that the job asks for.
JQ = f'#!{sys.executable}\nimport json, sys\nassert sys.argv[1:] == ["-r", ".id"]\nprint(json.load(sys.stdin)["id"])\n'


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
