# SPDX-License-Identifier: Apache-2.0
"""Open slots of an app come in; those whose time is over, or all of them, go out sealed.

Slots are sealed in the order of their numbers, inside a transaction: no ingest is in flight then.
"""

from __future__ import annotations

from lockgate.core.app import App
from lockgate.core.instant import Instant
from lockgate.core.spine import Cell, Slot, seal
from lockgate.crash_point import reach
from lockgate.ports.store import Transaction

# The cells of so many slots are in memory at once.
AT_ONCE = 200


def seal_over(work: Transaction, app: str, now: Instant) -> None:
    """Seal the slots whose time is over."""
    while seal_next(work, app, now, AT_ONCE) is None:
        pass


def seal_next(work: Transaction, app: str, now: Instant, limit: int) -> tuple[Cell, ...] | None:
    """Seal the next slots whose time is over, at most so many; return their cells, or None while more may be left."""
    found, cells = work.open_slots(app, limit), list[Cell]()
    for slot in found:
        if not slot.is_over(now):
            return tuple(cells)
        cells += _seal(work, app, slot, now)
    return tuple(cells) if len(found) < limit else None


def seal_all(work: Transaction, app: str, now: Instant) -> int:
    """Seal every open slot, because a weight changes, and return the number of the next one."""
    for slot in work.open_slots(app):
        _seal(work, app, slot, now)
    last = work.last_slot(app)
    return 0 if last is None else last.number + 1


def seal_full(work: Transaction, app: App, slot: Slot, now: Instant) -> None:
    """Seal an open slot of live runs in which a candidate on trial has as many runs as it may have.

    How many they are says nothing of how they ended. Slots before it are sealed with it, because they seal in order.
    """
    if app.bucket_runs is None:
        return
    runs = work.run_counts(app.name, slot.number)
    candidates = {rollout.candidate for rollout in work.rollouts(app.name, active=True)}
    if max((runs.get(name, 0) for name in candidates), default=0) < app.bucket_runs:
        return
    for before in work.open_slots(app.name):
        if before.number <= slot.number:
            _seal(work, app.name, before, now)


def _seal(work: Transaction, app: str, slot: Slot, now: Instant) -> tuple[Cell, ...]:
    cells = work.cells(app, slot.number, slot.number)
    # A sealed slot is read many times, and what was added to its cells is added up here for the last time.
    work.put_cells(app, cells)
    pairs = work.pairs(app, slot.number, slot.number)
    work.put_slot(app, seal(slot, cells, work.segments(app, slot.number), now, pairs))
    reach("slot.sealed")
    return cells
