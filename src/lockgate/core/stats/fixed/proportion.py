# SPDX-License-Identifier: Apache-2.0
"""Events among runs come in; intervals for a share and for a difference of shares go out.

Arrays broadcast; `level` is two-sided. Spec: ST-10, ST-11.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.special import normal_quantile

# Many numbers, or one.
Value = Floats | float


def wilson(events: ArrayLike, n: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Return Wilson's score limits of a share (JASA 22, 1927); 0 and 1 where there are no runs."""
    runs = np.asarray(n, np.float64)
    happened = np.asarray(events, np.float64)
    z_squared = two_sided_z(level) * two_sided_z(level)
    size = np.maximum(runs, 1.0)
    share, spared = happened / size, (runs - happened) / size
    low, plus = _score_limits(share, share * spared, size, z_squared)
    low_spared, _ = _score_limits(spared, share * spared, size, z_squared)
    empty = runs == 0.0
    high = np.where(share < 0.5, plus, 1.0 - low_spared)
    return np.where(empty, 0.0, low)[()], np.where(empty, 1.0, high)[()]


def _score_limits(share: Floats, variance: Floats, n: Floats, z_squared: Floats) -> tuple[Floats, Floats]:
    """Return both roots; the lower one by the product of the roots, which is exactly 0 for no events."""
    scale = 1.0 + z_squared / n
    half = np.sqrt(z_squared * (variance / n + z_squared / (4.0 * n * n)))
    high = (share + z_squared / (2.0 * n) + half) / scale
    return share * share / (scale * high), high


def newcombe(
    e_a: ArrayLike, n_a: ArrayLike, e_b: ArrayLike, n_b: ArrayLike, level: float, ratio: ArrayLike = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Return p_a - ratio * p_b with its limits: Newcombe's method 10 (Stat. Med. 17, 1998, 873).

    With a ratio other than 1 the same squares are added after Zou and Donner (Stat. Med. 27, 2008, 1693).
    Without runs in an arm the estimate is no number, and the limits are as wide as the other arm leaves them.
    """
    factor = np.asarray(ratio, np.float64)
    share_a, share_b = _share(e_a, n_a), _share(e_b, n_b)
    limits_a, limits_b = wilson(e_a, n_a, level), wilson(e_b, n_b, level)
    low, high = mover((share_a, *limits_a), (share_b, *limits_b), factor)
    known = (np.asarray(n_a) > 0) & (np.asarray(n_b) > 0)
    return (
        np.where(known, share_a - factor * share_b, np.nan)[()],
        np.where(known, low, limits_a[0] - factor * limits_b[1])[()],
        np.where(known, high, limits_a[1] - factor * limits_b[0])[()],
    )


def _share(events: ArrayLike, n: ArrayLike) -> Floats:
    share: Floats = np.asarray(events, np.float64) / np.maximum(np.asarray(n, np.float64), 1.0)
    return share


def mover(a: tuple[Value, Value, Value], b: tuple[Value, Value, Value], ratio: ArrayLike) -> tuple[Floats, Floats]:
    """Return limits of a - ratio * b from each one's estimate, low and high (Zou and Donner 2008); ratio >= 0."""
    factor = np.asarray(ratio, np.float64)
    (value_a, low_a, high_a), (value_b, low_b, high_b) = a, b
    difference = value_a - factor * value_b
    down, up = value_a - low_a, high_a - value_a
    down_b, up_b = factor * (value_b - low_b), factor * (high_b - value_b)
    low: Floats = difference - np.sqrt(down * down + up_b * up_b)
    high: Floats = difference + np.sqrt(up * up + down_b * down_b)
    return low, high


@cache
def two_sided_z(level: float) -> Floats:
    """Return how many standard deviations a two-sided level spans to either side."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"a level lies strictly between 0 and 1, not {level}")
    return -normal_quantile((1.0 - level) / 2.0)
