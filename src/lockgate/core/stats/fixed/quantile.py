# SPDX-License-Identifier: Apache-2.0
"""Histograms come in; quantiles, and their intervals by order statistics, go out in units.

The q-quantile is the value of rank ceil(q n). Limits are the outer edges of the bins that hold the limiting ranks, so
binning widens an interval and never narrows it. Leading axes of the counts are replicates. Spec: ST-14, ST-15.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.bins import Histogram, lower_edge, representative, upper_edge
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.proportion import mover, two_sided_z
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.special import binomial_tail

Integers = NDArray[np.int64]

# Above this variance ranks come from an expansion, whose error is then a hundredth of a rank.
_EXPANDED_FROM = 400.0
_EXPANSION_ERROR = 0.02


def quantile(bins: Histogram, q: Fraction | float) -> Floats:
    """Return the q-quantile, as the representative of its bin; no number for an empty histogram."""
    share = _fraction(q)
    cumulative = bins.counts.cumsum(axis=-1, dtype=np.int64)
    n = _runs(bins)
    rank = -(-n * share.numerator // share.denominator)
    return np.where(n > 0, _value(bins, cumulative, np.maximum(rank, 1)), np.nan)[()]


def quantile_interval(bins: Histogram, q: Fraction | float, level: float) -> tuple[Floats, Floats, Floats]:
    """Return the q-quantile with limits by binomial order statistics (David and Nagaraja, 2003, section 7.1).

    A limit is infinite where even the extreme run does not bound the quantile at this level.
    """
    share, n = _fraction(q), _runs(bins)
    cumulative = bins.counts.cumsum(axis=-1, dtype=np.int64)
    low_rank, high_rank = ranks(n, share, level)
    below, above = _bin(bins, cumulative, low_rank), _bin(bins, cumulative, high_rank)
    low = np.where(low_rank >= 1, lower_edge(below) / float(MICRO), -np.inf)
    high = np.where(high_rank <= n, (upper_edge(above) - 1) / float(MICRO), np.inf)
    return quantile(bins, q), low[()], high[()]


def quantile_difference(
    bins_a: Histogram, bins_b: Histogram, q: Fraction | float, level: float, ratio: float = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Return quantile_a - ratio * quantile_b with limits combined after Zou and Donner (Stat. Med. 27, 2008, 1693)."""
    a, b = quantile_interval(bins_a, q, level), quantile_interval(bins_b, q, level)
    low, high = mover(a, b, ratio)
    return a[0] - ratio * b[0], low, high


def ranks(n: ArrayLike, q: Fraction | float, level: float) -> tuple[Integers, Integers]:
    """Return ranks l < u such that the quantile lies between the l-th and u-th run with the level; 0 or n + 1: none."""
    runs, share = np.asarray(n, np.int64), float(_fraction(q))
    tail = (1.0 - level) / 2.0
    upper = _upper_rank(runs, share, tail, two_sided_z(level))
    lower = runs + 1 - _upper_rank(runs, 1.0 - share, tail, two_sided_z(level))
    return lower[()], upper[()]


def _upper_rank(n: Integers, share: float, tail: float, z: Floats) -> Integers:
    """Return the least u with P(X >= u) <= tail for X binomial(n, share)."""
    variance = n * (share * (1.0 - share))
    expanded = _expanded_rank(n, share, z)
    exact = variance < _EXPANDED_FROM
    if not exact.any():
        return expanded
    size = np.where(exact, n, 1)
    guess = np.where(exact, expanded, 1)
    reach = 4
    while True:
        candidates = np.minimum(np.maximum(guess[..., None] + np.arange(-reach, reach + 1), 0), size[..., None] + 1)
        small = binomial_tail(candidates, size[..., None], share) <= tail
        found = np.argmax(small, axis=-1)
        first = np.take_along_axis(candidates, found[..., None], axis=-1)[..., 0]
        # The first candidate decides nothing by itself: a lesser rank might do as well.
        if (small.any(axis=-1) & ((found > 0) | (first == 0))).all():
            return np.where(exact, first, expanded)
        reach *= 4


def _expanded_rank(n: Integers, share: float, z: Floats) -> Integers:
    """Return that rank by Cornish and Fisher's expansion with continuity correction, rounded outwards."""
    variance = np.maximum(n * (share * (1.0 - share)), 1e-9)
    deviation = np.sqrt(variance)
    skew, excess = (1.0 - 2.0 * share) / deviation, (1.0 - 6.0 * share * (1.0 - share)) / variance
    cubic = z * z * z
    point = z + skew * (z * z - 1.0) / 6.0 + excess * (cubic - 3.0 * z) / 24.0
    point = point - skew * skew * (2.0 * cubic - 5.0 * z) / 36.0
    rank: Floats = np.ceil(n * share + 0.5 + deviation * point + _EXPANSION_ERROR)
    return np.asarray(np.minimum(np.maximum(rank, 0.0), n + 1.0), np.int64)


def _bin(bins: Histogram, cumulative: Integers, rank: Integers) -> Integers:
    """Return the index of the bin that holds a rank, or the nearest one."""
    position = (cumulative < np.asarray(rank)[..., None]).sum(axis=-1, dtype=np.int64)
    if bins.indices.size == 0:
        return np.asarray(position)
    return np.asarray(bins.indices[np.minimum(position, bins.indices.size - 1)])


def _value(bins: Histogram, cumulative: Integers, rank: Integers) -> Floats:
    value: Floats = representative(_bin(bins, cumulative, rank)) / float(MICRO)
    return value


def _runs(bins: Histogram) -> Integers:
    return np.asarray(bins.counts.sum(axis=-1, dtype=np.int64))


def _fraction(q: Fraction | float) -> Fraction:
    """Return q as the decimal that its writer meant, to six places, so that ranks are exact."""
    share = q if isinstance(q, Fraction) else Fraction(str(q)).limit_denominator(1_000_000)
    if not 0 < share < 1:
        raise ValueError(f"a quantile lies strictly between 0 and 1, not {q}")
    return share
