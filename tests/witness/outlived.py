# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a world goes out, with what makes an older copy of its store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lockgate.adapters.marks.state_files import StateFiles
from lockgate.core.receipt import operator
from lockgate.operations.steering.pause import pause
from lockgate.ports.store import Store
from lockgate.testing.world import World
from lockgate.wiring import memory_store
from tests.spec.line import created


def outlived(folder: Path, store: Store | None = None) -> tuple[World, Callable[[], None]]:
    """Return a world, and what makes of its store an older copy: the log goes on elsewhere."""
    here, marks = World(store or memory_store(), 1), StateFiles(folder / "state")
    here.house = replace(here.house, high_water=marks)

    def outlive() -> None:
        lived = World(memory_store(), 1)
        rollout = created(lived).rollout.id
        pause(rollout, operator("ada", "drill"), replace(lived.house, high_water=marks))

    return here, outlive
