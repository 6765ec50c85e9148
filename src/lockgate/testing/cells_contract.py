# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether tallies that are added to cells add up exactly, however many.

It is a part of StoreContract.
"""

from __future__ import annotations

import numpy as np
import pytest

from lockgate.core.bucket import Bucket
from lockgate.core.intake import Slice
from lockgate.core.spine import Cell, Slot
from lockgate.core.summary import Columns, tally
from lockgate.core.tallies import CellName, Tallies
from lockgate.errors import LockgateError
from lockgate.ports.store import Store

SLOT = Slot(number=0, opened_at=0, seals_at=9)
MEDICAL: Slice = (("intent", "medical"),)
CELLS: tuple[CellName, ...] = (("v1", ()), ("v1", MEDICAL), ("v2", ()))
# More than any store may want to keep apart.
MANY = 300


def some(number: int) -> Tallies:
    """Return the tallies of three runs, one of each cell, that differ with a number; its squares are wide."""
    wide = 10**18 - number
    values = {"latency_ms": np.array([number, wide, 7], np.int64), f"scores.s{number % 3}": np.array([1, -wide, 0])}
    return tally(Columns(runs=3, statuses=np.array([0, number % 4, 1], np.int8), values=values), np.arange(3), CELLS)


def buckets(*added: Tallies) -> dict[CellName, Bucket]:
    """Return the sums of tallies, bucket by bucket."""
    return {name: sum((each.bucket(place) for each in added), Bucket()) for place, name in enumerate(CELLS)}


def open_slot(store: Store) -> None:
    """Open the slot that tallies are added to."""
    with store.writing() as work:
        work.put_slot("web", SLOT)


def read(store: Store) -> dict[CellName, Bucket]:
    """Return the buckets of the slot."""
    with store.reading() as seen:
        return {(cell.release, cell.labels): cell.bucket for cell in seen.cells("web", 0, 0)}


class CellsContract:
    """What every store promises of the cells of open slots."""

    def test_what_is_added_adds_up(self, store: Store) -> None:
        """Whether it came at once or over time, and whatever was read between."""
        open_slot(store)
        added = [some(number) for number in range(MANY)]

        for number, each in enumerate(added):
            with store.writing() as work:
                work.add_tallies("web", 0, each)
            if number % 100 == 0:
                assert read(store) == buckets(*added[: number + 1])

        assert read(store) == buckets(*added)

    def test_what_is_added_joins_what_was_put(self, store: Store) -> None:
        """A cell that is put takes the place of all that it was; the others stay as they are."""
        open_slot(store)
        cell = Cell(number=0, release="v1", labels=(), bucket=Bucket(5, {"ok": 5}))
        with store.writing() as work:
            work.add_tallies("web", 0, some(1))
            work.put_cells("web", [cell])
            work.add_tallies("web", 0, some(2))

        expected = buckets(some(1), some(2)) | {("v1", ()): cell.bucket + some(2).bucket(0)}
        assert read(store) == expected

    def test_runs_are_counted_by_release(self, store: Store) -> None:
        """Whatever was put or added, and in which order; in a slot that is not there there are none."""
        open_slot(store)
        cell = Cell(number=0, release="v1", labels=(), bucket=Bucket(5, {"ok": 5}))
        counted = []
        with store.writing() as work:
            for number in range(MANY):
                work.add_tallies("web", 0, some(number))
            counted.append(dict(work.run_counts("web", 0)))
            work.put_cells("web", [cell])
            work.add_tallies("web", 0, some(1))
            counted.append(dict(work.run_counts("web", 0)))

        with store.reading() as seen:
            assert dict(seen.run_counts("web", 1)) == {}
        assert counted == [{"v1": 2 * MANY, "v2": MANY}, {"v1": 5 + MANY + 2, "v2": MANY + 1}]

    def test_nothing_is_added_to_a_sealed_slot(self, store: Store) -> None:
        """Nor to one that was never opened, and what was there stays."""
        open_slot(store)
        with store.writing() as work:
            work.add_tallies("web", 0, some(1))
            work.put_cells("web", work.cells("web", 0, 0))
            work.put_slot("web", Slot(number=0, opened_at=0, seals_at=9, sealed_at=9, digest="sha256:aa"))

        for number in (0, 1):
            with pytest.raises(LockgateError), store.writing() as work:
                work.add_tallies("web", number, some(2))

        assert read(store) == buckets(some(1))

    def test_a_block_that_raises_adds_nothing(self, store: Store) -> None:
        """What was added before stays alone."""
        open_slot(store)
        with store.writing() as work:
            work.add_tallies("web", 0, some(1))

        with pytest.raises(ZeroDivisionError), store.writing() as work:  # noqa: PT012 -- the block is what raises
            work.add_tallies("web", 0, some(2))
            raise ZeroDivisionError

        assert read(store) == buckets(some(1))
