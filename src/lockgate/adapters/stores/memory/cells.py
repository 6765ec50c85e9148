# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; the cells of slots go out, or in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.adapters.stores.refusals import sealed_already
from lockgate.core.spine import Cell
from lockgate.core.tallies import Tallies


class MemoryCellsReading(MemoryTablesReading):
    """Cells in tables that nobody writes to."""

    __slots__ = ()

    def cells(self, app: str, first: int, last: int) -> tuple[Cell, ...]:
        """Return the cells of some slots."""
        tables = (self._table(f"cells {number}", app) for number in range(first, last + 1))
        return tuple(cell for table in tables for cell in table.values())

    def run_counts(self, app: str, number: int) -> Mapping[str, int]:
        """Return how many runs of each release are in a slot."""
        counted: Counter[str] = Counter()
        for cell in self.cells(app, number, number):
            counted[cell.release] += cell.bucket.runs
        return counted


class MemoryCellsWriting(MemoryCellsReading, MemoryTablesWriting):
    """Cells in tables of a transaction's own."""

    __slots__ = ()

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells."""
        for cell in cells:
            self._open_table(app, cell.number)[cell.release, cell.labels] = cell

    def add_tallies(self, app: str, number: int, tallies: Tallies) -> None:
        """Add tallies to the cells of a slot."""
        table = self._open_table(app, number)
        for (release, labels), added in zip(tallies.cells, tallies.buckets(), strict=True):
            before = table.get((release, labels))
            bucket = added if before is None else before.bucket + added
            table[release, labels] = Cell(number=number, release=release, labels=labels, bucket=bucket)

    def _open_table(self, app: str, number: int) -> dict[Any, Any]:
        slot = self._table("slots", app).get(number)
        if slot is None or slot.is_sealed:
            raise sealed_already(app, number)
        return self._writable(f"cells {number}", app)
