# SPDX-License-Identifier: Apache-2.0
"""A gate whose interval lies within a bound comes in; whether limits that a small arm cannot narrow agree goes out.

A few runs of a skewed value have most likely missed its long tail, and with it both its mean and its spread.
So a mean is within a bound only if it is with one variance for both arms; a score's own mean only with one run more
at either end of its range; and a resampled quantile only where enough runs bound it at all. Clause: CO-08.
"""

from __future__ import annotations

import math

from lockgate.core.bucket import Values
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Bound, Method
from lockgate.core.stats.fixed.mean import moments, student
from lockgate.core.stats.fixed.pooled import pooled_low
from lockgate.core.stats.micro import MICRO
from lockgate.core.verdict.estimate import order_statistics
from lockgate.core.verdict.sample import Sample


def is_within_chance(sample: Sample, bound: Bound, level: float) -> bool:
    """Say whether careful limits, too, exclude that the candidate is worse than a bound."""
    if sample.kind is Kind.MEAN and sample.limit is None:
        return _pooled_high(sample, bound.ratio, level) <= bound.offset
    if sample.kind is Kind.MEAN and sample.gate.metric.is_score:
        return padded_limits(sample, level)[1] - bound.ratio * (sample.limit or 0.0) <= bound.offset
    if sample.kind is Kind.QUANTILE and sample.gate.method is Method.BOOTSTRAP:
        return math.isfinite(order_statistics(sample, level, bound.ratio).high)
    return True


def padded_limits(sample: Sample, level: float) -> tuple[float, float]:
    """Return Student's limits of a score's mean with one run more at either end of its range.

    Source: the two successes and two failures of Agresti and Coull (American Statistician 52, 1998), one of each here.
    """
    values = sample.judged_values()[1]
    ends = sample.gate.extent or (0.0, 1.0)
    low, high = sorted(round(end * MICRO) * (-1 if sample.is_turned else 1) for end in ends)
    padded = Values(values.n + 2, values.total + low + high, values.squares + low * low + high * high)
    _, least, most = student(padded.n, padded.total, padded.squares, level)
    return float(least), float(most)


def _pooled_high(sample: Sample, ratio: float, level: float) -> float:
    b, a = sample.judged_values()
    low = pooled_low((a.n, a.total, a.squares), (b.n, b.total, b.squares), level, ratio)
    (mean_a, _), (mean_b, _) = moments(a.n, a.total, a.squares), moments(b.n, b.total, b.squares)
    return float(2.0 * (mean_a - ratio * mean_b) - low)
