# SPDX-License-Identifier: Apache-2.0
"""A mean's sample comes in; the worst that its candidate looks with its own outliers lowered goes out.

One extreme run widens Welch's interval, so that by itself a worse run could undo a regression.
A candidate that would be beyond its tolerance with some of its values better than they are is beyond it as it is.
So its values are lowered to the edges of their bins and to each of these edges as a cap, and the cap that shows most
counts. Lowering never makes an equal candidate look worse, so it costs no error rate to speak of; it sees regressions
that are larger than a bin is wide (2 %). Clause: CO-09.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from lockgate.core.bucket import Values
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Method
from lockgate.core.stats.bins import lower_edge
from lockgate.core.stats.fixed.mean import student, welch
from lockgate.core.stats.fixed.pooled import pooled_low
from lockgate.core.verdict.sample import Sample

Whole = NDArray[np.object_]


def capped_low(sample: Sample, level: float, ratio: float) -> float:
    """Return the highest lower limit of candidate - ratio * baseline over all caps; -inf where caps say nothing."""
    if sample.kind is not Kind.MEAN or sample.gate.method is not Method.FORMULA or not sample.is_complete:
        return -math.inf
    if sample.limit is not None and sample.gate.metric.is_score:
        # A few runs of a bounded score need the guard of wide.py, which caps would go around.
        return -math.inf
    b, a = sample.judged_values()
    n, totals, squares = _capped(a)
    if sample.limit is not None:
        lows = student(n, totals, squares, level)[1] - ratio * sample.limit
    else:
        arm_a, arm_b = (n, totals, squares), (b.n, b.total, b.squares)
        lows = np.minimum(welch(*arm_a, *arm_b, level, ratio)[1], pooled_low(arm_a, arm_b, level, ratio))
    return float(np.max(lows))


def _capped(values: Values) -> tuple[Whole, Whole, Whole]:
    """Return runs, sums and sums of squares of values lowered to each edge in turn."""
    below_total = below_squares = below = 0
    totals, squares = [], []
    for index, count in values.bins:
        edge, above = int(lower_edge(index)), values.n - below
        totals.append(below_total + edge * above)
        squares.append(below_squares + edge * edge * above)
        below += count
        below_total += edge * count
        below_squares += edge * edge * count
    whole = np.empty(len(totals), object), np.empty(len(totals), object)
    whole[0][:], whole[1][:] = totals, squares
    return np.full(len(totals), values.n, object), whole[0], whole[1]
