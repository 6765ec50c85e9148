# SPDX-License-Identifier: Apache-2.0
"""A home that lost its keys after they were rotated comes in; docs/howto/backup.md's commands must make it sound."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.routers import part
from tests.witness.machine import Machine

pytestmark = [pytest.mark.interop, pytest.mark.clause("KY-121")]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "backup.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
FOR_GOOD = next(block for block in BLOCKS if block.startswith("cp saved/receipt-key"))
ONCE = next(block for block in BLOCKS if block.startswith("lockgate fsck $("))


@pytest.fixture
def lost(tmp_path: Path) -> Machine:
    """Return a machine that goes on by new keys, with the receipts beside it that were saved while it had others."""
    here = Machine(tmp_path / ".lockgate")
    rollout, why = here.create("v2"), ("--reason", "drill", "--yes")
    for role in ("log", "receipt"):
        assert here.call("keys", "rotate", role, *why).returncode == 0
        here.act(rollout, "pause", "resume")
    assert here.call("receipts", rollout, "--save", str(tmp_path / "saved")).returncode == 0
    shutil.rmtree(here.home / "keys")
    assert here.call("new-keys", *why).returncode == 0
    return here


def typed(here: Machine, commands: str) -> subprocess.CompletedProcess[str]:
    """Type commands of the page where the saved receipts are."""
    part("openssl")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {name: text for name, text in here.environment.items() if name != "LOCKGATE_HOME"}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=here.home.parent,
        env={**environment, "HOME": str(here.home.parent), "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_key_of_saved_receipts_is_put_back(lost: Machine) -> None:
    """Those that were rotated signed some of the log, and one alone would leave the rest unknown."""
    before = lost.call("fsck")

    after = typed(lost, FOR_GOOD)

    assert (before.returncode, after.returncode) == (65, 0), after.stdout + after.stderr
    assert lost.call("fsck").returncode == 0


def test_they_may_be_named_for_one_call(lost: Machine) -> None:
    """Nothing is kept of that."""
    once = typed(lost, ONCE)

    assert (once.returncode, lost.call("fsck").returncode) == (0, 65), once.stdout + once.stderr
