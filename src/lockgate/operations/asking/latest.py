# SPDX-License-Identifier: Apache-2.0
"""An app comes in; its latest slots, and the cells that stand in them, go out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.spine import Cell, Slot
from lockgate.ports.store import Snapshot

# As many of the latest slots are looked through: an advice, or a promise, must not cost what a rollout does.
LATEST = 1_440


@dataclass(frozen=True, slots=True)
class Latest:
    """Slots in order, and their cells."""

    slots: tuple[Slot, ...] = ()
    cells: tuple[Cell, ...] = ()


def latest(seen: Snapshot, app: str, count: int = LATEST) -> Latest:
    """Return at most so many of an app's latest slots; of an app without any, nothing."""
    last = seen.last_slot(app)
    if last is None:
        return Latest()
    first = max(0, last.number - count + 1)
    return Latest(seen.slots(app, first - 1), seen.cells(app, first, last.number))
