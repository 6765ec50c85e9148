# SPDX-License-Identifier: Apache-2.0
"""Micro-units come in; bins of a published integer edge table, 1 % wide to either side, go out.

The edges are e_0 = 1 and e_(i+1) = max(e_i + 1, floor(e_i * 102 / 100)), up to the first at or above 1e18.
Bin 0 holds 0; bin i holds e_(i-1) <= v < e_i; bin -i mirrors bin i. So every engine that can divide integers
makes the same histogram, and histograms add exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.micro import MAX_ABS, MICRO

Integers = NDArray[np.int64]

_LIMIT = MAX_ABS * MICRO
_BLOCK = 1 << 15
# A float's exponent and the first 7 bits of its significand name a cell narrower than any bin above 128,
# and a single integer below.
_CELL_SHIFT = 52 - 7
_FIRST_CELL = (1023 << 7) - 1
_EXACT_FLOAT = 1 << 53
_TOP_BITS = ~np.int64(127)


class Histogram(NamedTuple):
    """Bin indices, rising, and how many values each holds; leading axes of `counts` are replicates."""

    indices: Integers
    counts: Integers


def edge_table() -> Integers:
    """Return the edges, from the recurrence."""
    edges = [1]
    while edges[-1] < _LIMIT:
        edges.append(max(edges[-1] + 1, edges[-1] * 102 // 100))
    return np.array(edges, np.int64)


EDGES = edge_table()
EDGES.flags.writeable = False


def _cell_table() -> NDArray[np.intp]:
    """Return the bin of the lowest integer of each cell; a cell holds at most one edge above that."""
    last = int(np.float64(EDGES[-1]).view(np.int64) >> _CELL_SHIFT)
    cells = np.arange(_FIRST_CELL + 1, last + 1, dtype=np.int64)
    lowest = np.ceil((cells << _CELL_SHIFT).view(np.float64)).astype(np.int64)
    return np.concatenate([np.zeros(1, np.intp), np.searchsorted(EDGES, lowest, side="right")])


_CELLS = _cell_table()


def index_of(values: ArrayLike) -> NDArray[np.int32]:
    """Return the bin of each value in micro-units; ValueError beyond 1e18."""
    micro = np.asarray(values, np.int64)
    flat = np.ascontiguousarray(micro).reshape(-1)
    result = np.empty(flat.shape, np.int32)
    for start in range(0, flat.size, _BLOCK):
        _index_block(flat[start : start + _BLOCK], result[start : start + _BLOCK])
    return result.reshape(micro.shape)


def _index_block(values: Integers, out: NDArray[np.int32]) -> None:
    low, high = int(values.min()), int(values.max())
    if max(-low, high) > _LIMIT:
        raise ValueError(f"beyond 1e18 micro-units: {high if high > _LIMIT else low}")
    sizes = np.abs(values) if low < 0 else values
    # Above 2^53 a conversion may round up into the next cell; without the last 7 bits it is exact.
    exact = sizes if max(-low, high) < _EXACT_FLOAT else np.where(sizes < _EXACT_FLOAT, sizes, sizes & _TOP_BITS)
    cells = (exact.astype(np.float64).view(np.int64) >> _CELL_SHIFT) - _FIRST_CELL
    # The bits of 0 lie below the first cell, which `clip` sends to the bin of 0.
    index = _CELLS.take(cells, mode="clip")
    index += sizes >= EDGES.take(index)
    np.copyto(out, np.where(values < 0, -index, index) if low < 0 else index, casting="same_kind")


def _lower_table() -> Integers:
    """Return the lowest value of each bin, from the most negative one to the last."""
    return np.concatenate([1 - EDGES[::-1], EDGES])


_LOWER = _lower_table()
_BOTH_ENDS = _LOWER[:-1] + _LOWER[1:] - 1
_MIDDLE = np.where(_BOTH_ENDS < 0, -(-_BOTH_ENDS >> 1), _BOTH_ENDS >> 1)
_ORIGIN = EDGES.size - 1


def lower_edge(index: ArrayLike) -> Integers:
    """Return the lowest value of each bin."""
    return _LOWER.take(np.asarray(index, np.int64) + _ORIGIN)


def upper_edge(index: ArrayLike) -> Integers:
    """Return the first value above each bin."""
    return _LOWER.take(np.asarray(index, np.int64) + (_ORIGIN + 1))


def representative(index: ArrayLike) -> Integers:
    """Return the middle of each bin, rounded towards 0: within 1 % of everything that the bin holds."""
    return _MIDDLE.take(np.asarray(index, np.int64) + _ORIGIN)


def histogram(values: ArrayLike) -> Histogram:
    """Return the histogram of values in micro-units."""
    index = index_of(values).reshape(-1)
    if index.size == 0:
        return from_pairs(())
    low = int(index.min())
    counts = np.bincount(index - low)
    held = np.flatnonzero(counts)
    return Histogram((held + low).astype(np.int64), counts[held].astype(np.int64))


def from_pairs(pairs: Iterable[tuple[int, int]]) -> Histogram:
    """Return the histogram of (index, count) pairs, in any order."""
    ordered = sorted(pairs)
    table = np.fromiter(chain.from_iterable(ordered), np.int64, 2 * len(ordered)).reshape(-1, 2)
    return Histogram(table[:, 0], table[:, 1])


def merge(first: Histogram, second: Histogram) -> Histogram:
    """Return the exact sum of two histograms."""
    indices = np.union1d(first.indices, second.indices)
    counts = spread(first, indices) + spread(second, indices)
    return Histogram(indices, counts)


def spread(part: Histogram, indices: Integers) -> Integers:
    """Return the counts of a histogram over a longer list of indices that contains its own."""
    counts = np.zeros((*part.counts.shape[:-1], indices.size), np.int64)
    counts[..., np.searchsorted(indices, part.indices)] = part.counts
    return counts
