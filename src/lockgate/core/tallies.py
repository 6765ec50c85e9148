# SPDX-License-Identifier: Apache-2.0
"""Runs' codes and values, each with the cell that its run belongs to, come in; tallies of many cells go out as arrays.

They say what a `Bucket` of each cell says, and add as exactly; a batch is tallied and kept in one pass over its runs,
and its buckets are made of that when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockgate.core.bucket import STATUSES, Bucket, Events, Values
from lockgate.core.intake import Slice
from lockgate.core.stats.bins import index_of, lower_edge

Integers = NDArray[np.int64]
# Whole numbers of 64 bits, or of any width as Python has them where those would not hold a sum.
Wide = NDArray[Any]
# Release and labels.
CellName = tuple[str, Slice]

STATUS_COLUMNS = len(STATUSES) + 1
# A bin is written as one number: cell and field, then the index with this added, which makes it positive.
BIN_BITS, BIN_ORIGIN = 12, 1 << 11
_INDEX_BITS = (1 << BIN_BITS) - 1
_MAX_SUM = 1 << 62
_BLOCK = 1 << 13
_LIMB, _HALF = 30, 32
_LIMB_BITS, _HALF_BITS = (1 << _LIMB) - 1, (1 << _HALF) - 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tallies:
    """What the buckets of several cells say.

    `statuses` has a row for each cell: runs without a status, then runs of each status. `events` has, by name,
    a row (n, events) for each cell; shares that statuses tell are left out. `squares` are those of `owners`, cells
    and fields as one number, rising: those that have a value, because most cells lack most fields.
    `bins` name cell, field and index, rising; `counts` and `excess` are theirs.
    """

    cells: tuple[CellName, ...]
    statuses: Integers
    events: Mapping[str, Integers]
    fields: tuple[str, ...]
    owners: Integers
    squares: tuple[int, ...]
    bins: Integers
    counts: Integers
    excess: Wide

    def cut(self, first: int, last: int) -> Tallies:
        """Return the tallies of the cells from one place to before another."""
        width = len(self.fields)
        base = first * width << BIN_BITS
        start, end = np.searchsorted(self.bins, (base, last * width << BIN_BITS)).tolist()
        head, tail = np.searchsorted(self.owners, (first * width, last * width)).tolist()
        return Tallies(
            cells=self.cells[first:last],
            statuses=self.statuses[first:last],
            events={name: table[first:last] for name, table in self.events.items()},
            fields=self.fields,
            owners=self.owners[head:tail] - first * width,
            squares=self.squares[head:tail],
            bins=self.bins[start:end] - base,
            counts=self.counts[start:end],
            excess=self.excess[start:end],
        )

    def bucket(self, cell: int) -> Bucket:
        """Return the bucket of one cell."""
        return next(self.cut(cell, cell + 1).buckets())

    def buckets(self) -> Iterator[Bucket]:
        """Yield the bucket of each cell, all of them made in one pass over the arrays."""
        values: list[dict[str, Values]] = [{} for _ in self.cells]
        width = len(self.fields)
        for owner, found in zip(self.owners.tolist(), self._values(), strict=True):
            values[owner // width][self.fields[owner % width]] = found
        tables = {name: table.tolist() for name, table in self.events.items()}
        for cell, row in enumerate(self.statuses.tolist()):
            _, *statuses = row
            held = {status: count for status, count in zip(STATUSES, statuses, strict=True) if count}
            ok, error, timeout, _ = statuses
            shares = {"error_rate": error + timeout, "timeout_rate": timeout} if ok + error + timeout else {}
            events = {name: Events(ok + error + timeout, count) for name, count in shares.items()}
            events |= {name: Events(*table[cell]) for name, table in tables.items() if table[cell][0]}
            yield Bucket(sum(row), held, dict(sorted(events.items())), values[cell])

    def _values(self) -> Iterator[Values]:
        """Yield the values of each owner."""
        index = (self.bins & _INDEX_BITS) - BIN_ORIGIN
        indices, lower = index.tolist(), lower_edge(index).tolist()
        counts, excess = self.counts.tolist(), self.excess.tolist()
        # An owner has a value, and a value has a bin.
        starts = _first_of_each(self.bins >> BIN_BITS).tolist()
        for start, end, square in zip(starts, [*starts[1:], None], self.squares, strict=False):
            held = slice(start, end)
            runs, beyond = counts[held], tuple(excess[held])
            total = sum(map(mul, lower[held], runs)) + sum(beyond)
            yield Values(sum(runs), total, square, tuple(zip(indices[held], runs, strict=True)), beyond)


def tally_values(columns: Mapping[str, Integers], cell: Integers, absent: int) -> dict[str, Any]:
    """Return those fields of Tallies that values make, given in which cell each run is."""
    given = {name: np.flatnonzero(column != absent) for name, column in sorted(columns.items())}
    fields = tuple(name for name, places in given.items() if places.size)
    found: list[tuple[Integers, Integers, Wide]] = []
    squares: dict[int, int] = {}
    # As many fields at once as stay in the processor's cache: larger arrays are new memory each time.
    step = max(1, _BLOCK // max(1, cell.size))
    for first in range(0, len(fields), step):
        names = fields[first : first + step]
        micro = _joined(columns[name].take(given[name]) for name in names)
        owner = _joined(cell.take(given[name]) * len(fields) + column for column, name in enumerate(names, first))
        found.append(_binned(micro, owner, squares))
    bins, counts, excess = _in_order(found)
    return {"fields": fields, **_standing(squares), "bins": bins, "counts": counts, "excess": excess}


def _standing(squares: Mapping[int, int]) -> dict[str, Any]:
    """Return owners and squares of Tallies."""
    owners = sorted(squares)
    return {"owners": np.array(owners, np.int64), "squares": tuple(squares[owner] for owner in owners)}


def _in_order(found: Sequence[tuple[Integers, Integers, Wide]]) -> tuple[Integers, Integers, Wide]:
    """Return bins, counts and excess of all parts, each of which is in order, in the order of bins."""
    if len(found) == 1:
        return found[0]
    bins, counts, excess = (_joined(part) for part in zip(*found, strict=True)) if found else (_joined(()),) * 3
    order = np.argsort(bins)
    return bins.take(order), counts.take(order), excess.take(order)


def _binned(micro: Integers, owner: Integers, squares: dict[int, int]) -> tuple[Integers, Integers, Wide]:
    """Return bins, counts and excess of values of some owners, which are cells and fields; add their squares."""
    bins = (owner << BIN_BITS) + index_of(micro) + BIN_ORIGIN
    # Not by counting places: most combinations of owner and index may be empty, and sorting is never slow.
    order = np.argsort(bins)
    bins, micro = bins.take(order), micro.take(order)
    held = _first_of_each(bins)
    _add_squares(micro, bins >> BIN_BITS, squares)
    bins, counts = bins.take(held), np.diff(held, append=bins.size)
    lower = lower_edge((bins & _INDEX_BITS) - BIN_ORIGIN)
    return bins, counts, _sums(micro - np.repeat(lower, counts), held)


def add_up(parts: Sequence[Tallies]) -> Tallies:
    """Return the exact sum of tallies; a cell or field that a part lacks is empty there."""
    cells = tuple(sorted({name for part in parts for name in part.cells}))
    fields = tuple(sorted({name for part in parts for name in part.fields}))
    place = {name: number for number, name in enumerate(cells)}
    places = [np.array([place[name] for name in part.cells], np.intp) for part in parts]
    squares: dict[int, int] = {}
    bins = []
    for part, to in zip(parts, places, strict=True):
        column = np.array([fields.index(name) for name in part.fields], np.intp)
        cell, field = np.divmod(part.owners, max(1, column.size))
        owners = to.take(cell) * len(fields) + column.take(field)
        for owner, square in zip(owners.tolist(), part.squares, strict=True):
            squares[owner] = squares.get(owner, 0) + square
        held = owners.take(np.searchsorted(part.owners, part.bins >> BIN_BITS))
        bins.append((held << BIN_BITS) + (part.bins & _INDEX_BITS))
    joined = _joined(bins)
    order = np.argsort(joined)
    joined = joined.take(order)
    held = _first_of_each(joined)
    names = sorted({name for part in parts for name in part.events})
    return Tallies(
        cells=cells,
        statuses=_rows([(part.statuses, to) for part, to in zip(parts, places, strict=True)], len(cells)),
        events={
            name: _rows(
                [(p.events[name], to) for p, to in zip(parts, places, strict=True) if name in p.events], len(cells)
            )
            for name in names
        },
        fields=fields,
        **_standing(squares),
        bins=joined.take(held),
        counts=_sums(_joined(part.counts for part in parts).take(order), held),
        excess=_sums(_joined(part.excess for part in parts).take(order), held),
    )


def _joined(parts: Iterable[Wide]) -> Wide:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _rows(tables: Sequence[tuple[Integers, NDArray[np.intp]]], size: int) -> Integers:
    """Return the sum of tables whose rows belong to some of so many cells."""
    total = np.zeros((size, tables[0][0].shape[1]), np.int64)
    for table, places in tables:
        # No part has a cell twice.
        total[places] += table
    return total


def _first_of_each(ordered: Integers) -> NDArray[np.intp]:
    """Return where each new number stands."""
    is_new = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_new[1:])
    return np.flatnonzero(is_new)


def _sums(numbers: Wide, starts: NDArray[np.intp]) -> Wide:
    """Return the exact sums of numbers from 0 up, each from one start to before the next."""
    if not numbers.size:
        return numbers
    if numbers.dtype != np.object_ and int(numbers.max()) * numbers.size > _MAX_SUM:
        numbers = numbers.astype(np.object_)
    return np.add.reduceat(numbers, starts)


def _add_squares(micro: Integers, owner: Integers, totals: dict[int, int]) -> None:
    """Add the exact sums of squares to the totals of their owners, which stand in order."""
    starts = _first_of_each(owner)
    owners = owner.take(starts).tolist()
    totals.update(dict.fromkeys(owners, 0))
    low, high = (sizes := np.abs(micro)) & _LIMB_BITS, sizes >> _LIMB
    products = [(low * low, 0), (low * high, _LIMB + 1), (high * high, 2 * _LIMB)]
    for product, shift in products if high.any() else products[:1]:
        # Each product is below 2^60, and the sum of its halves fits.
        is_small = int(product.max()) * product.size < _MAX_SUM
        halves = [(product, 0)] if is_small else [(product & _HALF_BITS, 0), (product >> _HALF, _HALF)]
        for half, more in halves:
            for place, part in zip(owners, np.add.reduceat(half, starts).tolist(), strict=True):
                totals[place] += part << shift + more
