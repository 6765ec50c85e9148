# SPDX-License-Identifier: Apache-2.0
"""An interval that settles nothing comes in; roughly how many times more runs would settle it goes out."""

from __future__ import annotations

import math
from fractions import Fraction

from lockgate.core.policy.gate import Bound
from lockgate.core.stats.elementary import log
from lockgate.core.stats.fixed.interval import Interval

# Beyond this the answer is no plan.
MAX_FACTOR = 10_000.0


def factor_to_regress(interval: Interval, bound: Bound) -> float | None:
    """Return by what the runs must grow until the interval lies beyond a bound, if the estimate stays; else None."""
    return _factor(interval.estimate - interval.low, interval.estimate - bound.offset)


def factor_to_exclude(interval: Interval, bound: Bound) -> float | None:
    """Return by what the runs must grow until the interval lies within a bound, if the estimate stays; else None."""
    return _factor(interval.high - interval.estimate, bound.offset - interval.estimate)


def _factor(half: float, distance: float) -> float | None:
    """Return the square of half width over distance: an interval narrows with the square root of the runs."""
    if not (distance > 0.0 and math.isfinite(half)):
        return None
    ratio = half / distance
    factor = ratio * ratio
    return max(factor, 1.0) if factor <= MAX_FACTOR else None


def runs_to_bound(quantile: Fraction, level: float) -> int:
    """Return the fewest runs of which the extreme ones bound a quantile from both sides (David and Nagaraja, 2003)."""
    tail, share = (1.0 - level) / 2.0, float(quantile)
    return math.ceil(float(log(tail)) / float(log(max(share, 1.0 - share))))


def round_up(count: float) -> int:
    """Return a count with two digits, rounded up, because more would be a pretence."""
    whole = max(1, math.ceil(count))
    unit = int(10 ** max(0, len(str(whole)) - 2))
    return -(-whole // unit) * unit
