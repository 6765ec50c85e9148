# SPDX-License-Identifier: Apache-2.0
"""A gate whose interval lies beyond its tolerance comes in; whether limits made for small arms agree goes out.

Newcombe's and score limits of few events call two equal releases different more often than their level says
(up to 11 % where 30 runs meet 5,000): the first event of a small arm already lies beyond them.
So a share or a rate is beyond its tolerance only if limits that do not approximate agree, and a mean only if it is
so with one variance for both arms.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from lockgate.core.bucket import Values
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Bound
from lockgate.core.stats.fixed.exact import MANY, exact_limits, poisson_excess
from lockgate.core.stats.fixed.pairs import sign_test
from lockgate.core.stats.fixed.pooled import pooled_low
from lockgate.core.stats.fixed.proportion import mover
from lockgate.core.stats.special import binomial_tail
from lockgate.core.verdict.estimate import dispersion, events_of
from lockgate.core.verdict.sample import Sample
from lockgate.core.verdict.wide import padded_limits

# Of the gate's part of alpha, to either side: wide enough never to matter where counts are large,
# since an interval at level 1 - alpha leaves half of alpha to either side.
EXACT_PART = 0.75


def is_beyond_chance(sample: Sample, bound: Bound, alpha: float) -> bool:
    """Say whether exact limits, too, exclude that the candidate keeps within a bound."""
    if sample.kind is Kind.PAIRED:
        return bound.offset != 0.0 or _losses_are_beyond_chance(sample, alpha)
    if sample.kind is Kind.BINARY:
        return _share_is_beyond_chance(sample, bound, EXACT_PART * alpha)
    if sample.kind is Kind.RATE:
        return _rate_is_beyond_chance(sample, bound, EXACT_PART * alpha)
    if sample.kind is Kind.MEAN and sample.limit is None:
        return _mean_is_beyond_chance(sample, bound, 1.0 - alpha)
    if sample.kind is Kind.MEAN and sample.gate.metric.is_score:
        return padded_limits(sample, 1.0 - alpha)[0] - bound.ratio * (sample.limit or 0.0) > bound.offset
    return True


def _mean_is_beyond_chance(sample: Sample, bound: Bound, level: float) -> bool:
    b, a = sample.judged_values()
    return bool(pooled_low((a.n, a.total, a.squares), (b.n, b.total, b.squares), level, bound.ratio) > bound.offset)


def _losses_are_beyond_chance(sample: Sample, alpha: float) -> bool:
    return float(sign_test(sample.pairs.losses, sample.pairs.wins)[0]) <= alpha / 2.0


def _share_is_beyond_chance(sample: Sample, bound: Bound, tail: float) -> bool:
    b, a = sample.events()
    level = 1.0 - 2.0 * tail
    low_a, high_a = exact_limits(a.events, a.n, level)
    if sample.limit is not None:
        return low_a > bound.ratio * sample.limit + bound.offset
    if all(min(arm.events, arm.n - arm.events) >= MANY for arm in (a, b)):
        return True
    low_b, high_b = exact_limits(b.events, b.n, level)
    value_a, value_b = a.events / a.n, b.events / b.n
    low, _ = mover((value_a, low_a, high_a), (value_b, low_b, high_b), bound.ratio)
    return bool(low > bound.offset)


def _rate_is_beyond_chance(sample: Sample, bound: Bound, tail: float) -> bool:
    """Test events given both arms' events: binomial (Przyborowski and Wilenski, Biometrika 31, 1940).

    A rate's margins are percentages, so there is no amount to add to the baseline's.
    """
    b, a = sample.values()
    factor = dispersion(a) if sample.limit is not None else dispersion(a, b)
    if sample.limit is not None:
        return _rate_exceeds(a, factor, bound.ratio * abs(sample.limit), tail, is_turned=sample.is_turned)
    # The arm with more events than its part is the worse one, or of a metric to keep high the better one.
    more, fewer, ratio = (b, a, 1.0 / bound.ratio) if sample.is_turned else (a, b, bound.ratio)
    found, others = _whole(more, factor, math.floor), _whole(fewer, factor, math.ceil)
    if min(found, others) >= MANY:
        return True
    part = ratio * more.n / (ratio * more.n + fewer.n)
    return float(binomial_tail(found, found + others, part)) <= tail


def _rate_exceeds(values: Values, factor: float, limit: float, tail: float, *, is_turned: bool) -> bool:
    mean = limit * values.n / factor
    if min(mean, events_of(values) / factor) >= MANY:
        return True
    if is_turned:
        return 1.0 - poisson_excess(_whole(values, factor, math.ceil) + 1, mean) <= tail
    return poisson_excess(_whole(values, factor, math.floor), mean) <= tail


def _whole(values: Values, factor: float, rounded: Callable[[float], int]) -> int:
    return rounded(events_of(values) / factor)
