# SPDX-License-Identifier: Apache-2.0
"""The folder of a store and a step come in; the step is done by a process that may not, cannot, or holds on."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path

from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.core.policy.policy import Mode
from lockgate.operations.tick import tick
from tests.faults import steps

NOBODY = 65_534
SOON_S = 0.2


def as_nobody(folder: Path, name: str) -> None:
    """Do a step as a user who owns nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        # What the step imports may lie where that user cannot read.
        steps.do(Path(shutil.copytree(folder, Path(scratch) / "copy")), name)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    steps.do(folder, name)


def on_a_full_disk(folder: Path, name: str, size: int) -> None:
    """Do a step where no file grows beyond a size."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    steps.do(folder, name)


def holding(folder: Path) -> None:
    """Open a transaction, and stop in the middle of it."""
    with steps.house_of(folder).store.writing():
        os.kill(os.getpid(), signal.SIGSTOP)


def impatient(folder: Path) -> None:
    """Tick, and wait for others only a moment."""
    house = steps.house_of(folder, 3)
    with house.store.reading(house.org) as seen:
        (target,) = [each.id for each in seen.rollouts() if each.mode is Mode.CANARY]
    tick(target, replace(house, store=SqliteStore(folder, SOON_S)))
