# SPDX-License-Identifier: Apache-2.0
"""What is known of a mean's values comes in; the range that each process clips them to goes out.

Every range ends on edges of the histogram, so that no bin is cut, and reaches past the bound that its process tests:
a range that ended short of it could never show that the bound was passed, whatever the candidate did.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lockgate.core.evidence.plan import GatePlan
from lockgate.core.evidence.state import Bins, Extent
from lockgate.core.metric import Worse
from lockgate.core.policy.gate import Gate
from lockgate.core.stats.bins import index_of, lower_edge, upper_edge
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO

# Baseline runs that a learned range waits for.
EXTENT_WARM_UP = 200
CAP_QUANTILE = Fraction(995, 1000)
# A learned range goes this much further than the way from the baseline's tail to the bound's.
REACH = 1.5
# Also where nothing is tolerated a candidate's values must be seen to lie above the baseline's.
HEADROOM = 1.25
# An objective's range reaches to this multiple of its bound.
BEYOND_LIMIT = 2.0


def known_extent(gate: Gate) -> Extent | None:
    """Return the range that is known before any run: declared, an objective's, or that of an objective's score."""
    if gate.extent is not None:
        return _outward(*gate.extent)
    if gate.limit is None:
        return None
    if gate.metric.is_score:
        return _SCORES
    return _outward(min(0.0, BEYOND_LIMIT * gate.limit), max(0.0, BEYOND_LIMIT * gate.limit))


def learned_extent(gate: Gate, seen: Bins) -> Extent | None:
    """Return the range that the baseline's first runs show: a score's own, or from p0.5 (0) to p99.5 of the runs."""
    least, most = int(lower_edge(seen[0][0])), int(upper_edge(seen[-1][0]))
    if gate.metric.is_score and _SCORES.low <= least and most <= _SCORES.high:
        return _SCORES
    n = sum(number for _, number in seen)
    if n < EXTENT_WARM_UP:
        return None
    low = 0 if least >= 0 else int(lower_edge(rank_bin(seen, n, 1 - CAP_QUANTILE)))
    return Extent(low, int(upper_edge(rank_bin(seen, n, CAP_QUANTILE))), is_learned=True)


def ranges(plan: GatePlan, extent: Extent) -> tuple[Floats, Floats]:
    """Return the ends, in units, of the range of each process."""
    rows = len(plan.processes)
    low, high = np.full(rows, extent.low / MICRO), np.full(rows, extent.high / MICRO)
    gate = plan.gate
    if gate.limit is not None and gate.extent is None and not gate.metric.is_score:
        return low, _up(np.maximum(high, BEYOND_LIMIT * (plan.ratios * gate.limit + plan.offsets)))
    if not extent.is_learned:
        return low, high
    if gate.metric.worse is Worse.HIGHER:
        reach = np.maximum(plan.ratios * high + plan.offsets, high + (HEADROOM - 1.0) * np.abs(high))
        return low, _up(high + REACH * (reach - high))
    if extent.low == 0:
        return low, high
    reach = np.minimum(plan.ratios * low - plan.offsets, low - (HEADROOM - 1.0) * np.abs(low))
    return _down(low - REACH * (low - reach)), high


def rank_bin(counts: Bins, n: int, quantile: Fraction) -> int:
    """Return the bin that holds the run of rank ceil(quantile * n) of n runs."""
    rank = max(1, -(-quantile.numerator * n // quantile.denominator))
    seen = 0
    for index, number in counts:
        seen += number
        if seen >= rank:
            return index
    return counts[-1][0]


def _outward(low: float, high: float) -> Extent:
    ends = np.array([low, high])
    return Extent(round(float(_down(ends[:1])[0]) * MICRO), round(float(_up(ends[1:])[0]) * MICRO))


def _down(values: Floats) -> Floats:
    return lower_edge(index_of(_micro(values))) / MICRO


def _up(values: Floats) -> Floats:
    return upper_edge(index_of(_micro(values) - 1)) / MICRO


def _micro(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    largest = 1e17
    return np.rint(np.minimum(np.maximum(values * MICRO, -largest), largest)).astype(np.int64)


_SCORES = _outward(0.0, 1.0)
