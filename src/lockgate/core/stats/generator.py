# SPDX-License-Identifier: Apache-2.0
"""A seed, a replicate and a counter come in; pseudo-random words and Poisson counts go out, the same everywhere.

Word number i of a stream is the i-th output of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the stream's key,
so any word can be made alone, in any order. Not for secrets. Spec: ST-05, ST-06.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.special import normal_quantile

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ALL = (1 << 64) - 1

# Up to this mean a count is drawn exactly, from a table of 2^7 columns; 128 counts hold all but 1e-34 of it.
TABLE_MEAN = 32
_COLUMN_BITS = 7
_IN_COLUMN = 64 - _COLUMN_BITS
_CELL_BITS = 12
_CELLS = 1 << _CELL_BITS


def _mixed(state: Words) -> Words:
    """Return SplitMix64's output of each state, in place."""
    state ^= state >> np.uint64(30)
    state *= _FIRST
    state ^= state >> np.uint64(27)
    state *= _SECOND
    state ^= state >> np.uint64(31)
    return state


def stream(seed: int, replicate: ArrayLike) -> Words:
    """Return the key of each replicate's stream: the words of the seed's own stream."""
    return words(np.asarray(seed & _ALL, np.uint64), replicate)


def words(key: ArrayLike, counter: ArrayLike) -> Words:
    """Return the word of each stream at each counter, from 0."""
    # An array of one dimension at least: numpy warns of a wrap, which is meant here, for scalars only.
    state = np.atleast_1d(np.asarray(counter, np.int64)).astype(np.uint64)
    state += np.uint64(1)
    state *= _STEP
    keys = np.asarray(key, np.uint64)
    shape = np.broadcast_shapes(keys.shape, np.shape(counter))
    return _mixed(state + keys).reshape(shape)


def poisson(word: Words, mean: ArrayLike) -> Integers:
    """Return a Poisson count for each word, with whole means that broadcast to the words' shape.

    Up to TABLE_MEAN exact to 2^-64; above by Cornish and Fisher's expansion in a normal deviate, whose distribution
    function is within 5e-5 of Poisson's, with its mean and variance.
    """
    means = np.asarray(mean, np.int64)
    small = means <= TABLE_MEAN
    if small.all():
        return _from_table(word, means)
    if not small.any():
        return _from_normal(*np.broadcast_arrays(word, means))
    if means.ndim == 1:
        counts = np.empty(word.shape, np.int64)
        counts[..., small] = _from_table(word[..., small], means[small])
        counts[..., ~small] = _from_normal(word[..., ~small], means[~small])
        return counts
    every, table_means, others = np.broadcast_arrays(word, np.where(small, means, 0), np.maximum(means, TABLE_MEAN + 1))
    return np.where(small, _from_table(every, table_means), _from_normal(every, others))


def _from_table(word: Words, means: Integers) -> Integers:
    heights, aliases = _tables()
    column = (word >> np.uint64(_IN_COLUMN)).astype(np.int64)
    entry = column + (means << _COLUMN_BITS)
    keep = (word & np.uint64((1 << _IN_COLUMN) - 1)) < heights.take(entry)
    return np.where(keep, column, aliases.take(entry))


@cache
def _tables() -> tuple[Words, Integers]:
    """Return the alias tables (Walker, ACM TOMS 3, 1977) of the means 0..32, one after the other."""
    tables = [_alias_table(mean) for mean in range(TABLE_MEAN + 1)]
    heights = np.array([height for table in tables for height, _ in table], np.uint64)
    return heights, np.array([alias for table in tables for _, alias in table], np.int64)


def _alias_table(mean: int) -> list[tuple[int, int]]:
    """Return for each column how much of it is its own count, out of 2^57, and which count has the rest."""
    size, full = 1 << _COLUMN_BITS, 1 << _IN_COLUMN
    shares = _poisson_shares(mean, size)
    table = [(share, count) for count, share in enumerate(shares)]
    poor = [count for count in range(size) if shares[count] < full]
    rich = [count for count in range(size) if shares[count] >= full]
    while poor and rich:
        giver, taker = rich[-1], poor.pop()
        table[taker] = (shares[taker], giver)
        shares[giver] -= full - shares[taker]
        if shares[giver] < full:
            poor.append(rich.pop())
    # The shares add to 2^64 exactly, so whoever is left fills a column.
    for count in [*poor, *rich]:
        table[count] = (full, count)
    return table


def _poisson_shares(mean: int, size: int) -> list[int]:
    """Return the probabilities of 0..size-1 out of 2^64, by integer arithmetic; the mode takes the roundings."""
    weights = [1 << 256]
    for count in range(1, size):
        weights.append(weights[-1] * mean // count)
    whole = sum(int(weight) for weight in weights)
    shares = [(weight << 64) // whole for weight in weights]
    shares[mean] += (1 << 64) - sum(int(share) for share in shares)
    return shares


def _from_normal(word: Words, means: Integers) -> Integers:
    z = _normal(word)
    mean = means.astype(np.float64)
    # Rounding to whole counts adds a twelfth to the variance.
    deviation = np.sqrt(mean - 1.0 / 12.0)
    square = z * z
    count = (square - 1.0) * (1.0 / 6.0)
    count += z * (deviation + (1.0 - square) / (72.0 * deviation))
    count += mean
    return np.rint(count, out=count).astype(np.int64)


def _normal(word: Words) -> Floats:
    """Return a normal deviate for each word: its quantile, linear in cells of 2^-12, and of 2^-24 in the end cells."""
    edges, tail = _normal_edges()
    cell = (word >> np.uint64(64 - _CELL_BITS)).astype(np.int64)
    low = edges.take(cell)
    z = edges.take(cell + 1)
    z -= low
    z *= (word & np.uint64((1 << 52) - 1)).astype(np.float64) * (1.0 / float(1 << 52))
    z += low
    ends = (cell == 0) | (cell == _CELLS - 1)
    if ends.any():
        chosen = word[ends]
        upper = chosen >= np.uint64(1 << 63)
        mirrored = np.where(upper, ~chosen, chosen)
        inner = ((mirrored >> np.uint64(40)) & np.uint64(_CELLS - 1)).astype(np.int64)
        part = (mirrored & np.uint64((1 << 40) - 1)).astype(np.float64) * (1.0 / float(1 << 40))
        deviate = tail.take(inner) + (tail.take(inner + 1) - tail.take(inner)) * part
        z[ends] = np.where(upper, -deviate, deviate)
    return z


@cache
def _normal_edges() -> tuple[Floats, Floats]:
    """Return the normal quantiles at multiples of 2^-12, and within the first cell at multiples of 2^-24."""
    # The outermost edges stand for infinity; what lies beyond them has a probability of 2^-27.
    lower = np.arange(1, _CELLS // 2, dtype=np.float64) / _CELLS
    half = normal_quantile(lower)
    outermost = normal_quantile(1.0 / float(1 << 27))
    edges = np.concatenate([[outermost], half, [0.0], -half[::-1], [-outermost]])
    inner = np.arange(1, _CELLS + 1, dtype=np.float64) / float(1 << 24)
    return edges, np.concatenate([[outermost], normal_quantile(inner)])
