# SPDX-License-Identifier: Apache-2.0
"""One gate's sample comes in; both arms' values and the interval of their difference go out.

A contrast is candidate - ratio * baseline (an objective's limit stands in for the baseline) in the direction in which
more is worse; a Difference is candidate - baseline as the metric is named.
"""

from __future__ import annotations

from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.evidence.extent import rank_bin
from lockgate.core.finding import Difference, Reading
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate, Method
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.bootstrap import MEAN, Arm, Resampling, bootstrap_difference, enough_replicates
from lockgate.core.stats.fixed.interval import Interval
from lockgate.core.stats.fixed.mean import moments, student, welch
from lockgate.core.stats.fixed.pairs import net_loss_interval
from lockgate.core.stats.fixed.proportion import newcombe, wilson
from lockgate.core.stats.fixed.quantile import quantile_difference, quantile_interval
from lockgate.core.stats.fixed.rate import poisson_score, rate_difference
from lockgate.core.stats.micro import MICRO
from lockgate.core.verdict.sample import NO_PAIRS, Sample

SHOWN_LEVEL = 0.95
METHODS = ("newcombe", "wilson", "welch", "student", "order-statistics", "poisson-score", "net-losses", "bootstrap")
REPLICATES = 2000

Limits = tuple[Floats, Floats, Floats]


def reading(gate: Gate, baseline: Bucket, candidate: Bucket, pairs: Pairs = NO_PAIRS) -> tuple[Reading, Reading]:
    """Return the metric's value in each arm; of pairs, how often that arm was the worse one."""
    sample = Sample(gate, baseline, candidate, pairs)
    if sample.kind is Kind.PAIRED:
        n = pairs.n
        return Reading(pairs.wins / n if n else None, n), Reading(pairs.losses / n if n else None, n)
    if sample.kind is Kind.BINARY:
        shares = [_share(part, is_turned=sample.is_turned) for part in sample.events()]
        return shares[0], shares[1]
    numbers = [_number(gate, part) for part in sample.values()]
    return numbers[0], numbers[1]


def _share(tally: Events, *, is_turned: bool) -> Reading:
    shown = tally.n - tally.events if is_turned else tally.events
    return Reading(shown / tally.n if tally.n else None, tally.n)


def _number(gate: Gate, tally: Values) -> Reading:
    if tally.n == 0:
        return Reading(None, 0)
    if gate.metric.quantile is not None:
        held = rank_bin(tally.bins, tally.n, gate.metric.quantile)
        return Reading(int(bins.representative(held)) / MICRO, tally.n)
    return Reading(_mean(tally), tally.n)


def _mean(tally: Values) -> float:
    return tally.total / (tally.n * MICRO)


def fixed_difference(
    gate: Gate, baseline: Bucket, candidate: Bucket, pairs: Pairs = NO_PAIRS, level: float = SHOWN_LEVEL
) -> Difference | None:
    """Return candidate - baseline (or - limit) with the interval of one look, or None when an arm lacks the metric."""
    sample = Sample(gate, baseline, candidate, pairs)
    found = contrast(sample, level)
    if found is None:
        return None
    shown = _turned(found) if sample.is_turned else found
    return Difference(shown.estimate, shown.low, shown.high, level, shown.method)


def contrast(sample: Sample, level: float, ratio: float = 1.0) -> Interval | None:
    """Return candidate - ratio * baseline, more being worse, or None when an arm lacks the metric."""
    if not sample.is_complete:
        return None
    if sample.kind is Kind.PAIRED:
        pairs = sample.pairs
        return _interval(net_loss_interval(pairs.losses, pairs.ties, pairs.wins, level), level, "net-losses")
    if sample.limit is not None:
        alone, limit = _alone(sample, level), ratio * sample.limit
        return Interval(alone.estimate - limit, alone.low - limit, alone.high - limit, level, alone.method)
    if sample.kind is Kind.BINARY:
        b, a = sample.events()
        return _interval(newcombe(a.events, a.n, b.events, b.n, level, ratio), level, "newcombe")
    found = _between(sample, level, ratio)
    return _turned(found) if sample.is_turned else found


def order_statistics(sample: Sample, level: float, ratio: float) -> Interval:
    """Return the contrast of two quantiles by order statistics, more being worse, whatever method the gate names."""
    if sample.limit is not None:
        share = sample.gate.metric.quantile
        assert share is not None
        found = quantile_interval(bins.from_pairs(sample.values()[1].bins), share, level)
        alone = _interval(found, level, "order-statistics")
        return _turned(alone) if sample.is_turned else alone
    between = _order_statistics(sample, level, ratio)
    return _turned(between) if sample.is_turned else between


def _order_statistics(sample: Sample, level: float, ratio: float) -> Interval:
    b, a = sample.values()
    share = sample.gate.metric.quantile
    assert share is not None
    histograms = bins.from_pairs(a.bins), bins.from_pairs(b.bins)
    return _interval(quantile_difference(*histograms, share, level, ratio), level, "order-statistics")


def dispersion(*arms: Values) -> float:
    """Return how many times more than Poisson counts the runs' own counts vary, at least 1.

    It widens the interval of a rate whose events come in bursts: quasi-likelihood, Wedderburn, Biometrika 61, 1974.
    """
    factor = 1.0
    for arm in arms:
        mean, variance_of_mean = moments(arm.n, arm.total, arm.squares)
        if arm.n >= 2 and mean > 0.0:
            factor = max(factor, float(arm.n * variance_of_mean / mean))
    return factor


def events_of(values: Values) -> float:
    """Return the sum of a field as a count of events."""
    return values.total / MICRO


def _between(sample: Sample, level: float, ratio: float) -> Interval:
    """Return the contrast of two arms of numbers, as named."""
    b, a = sample.values()
    if sample.kind is Kind.RATE:
        factor = dispersion(a, b)
        counts = (events_of(a) / factor, a.n / factor, events_of(b) / factor, b.n / factor)
        return _interval(rate_difference(*counts, level, ratio), level, "poisson-score")
    share = sample.gate.metric.quantile
    if sample.gate.method is Method.BOOTSTRAP:
        return _bootstrap(sample, level, ratio)
    if share is not None:
        return _order_statistics(sample, level, ratio)
    arms = (a.n, a.total, a.squares, b.n, b.total, b.squares)
    return _interval(welch(*arms, level, ratio), level, "welch")


def _alone(sample: Sample, level: float) -> Interval:
    """Return the candidate's own value, more being worse."""
    if sample.kind is Kind.BINARY:
        events = sample.events()[1]
        limits = wilson(events.events, events.n, level)
        return Interval(events.events / events.n, float(limits[0]), float(limits[1]), level, "wilson")
    found = _alone_as_named(sample, sample.values()[1], level)
    return _turned(found) if sample.is_turned else found


def _alone_as_named(sample: Sample, values: Values, level: float) -> Interval:
    if sample.kind is Kind.RATE:
        factor = dispersion(values)
        limits = poisson_score(events_of(values) / factor, values.n / factor, level)
        return _interval((events_of(values) / values.n, *limits), level, "poisson-score")
    share = sample.gate.metric.quantile
    if sample.gate.method is Method.BOOTSTRAP:
        return _bootstrap(sample, level, 0.0)
    if share is not None:
        return _interval(quantile_interval(bins.from_pairs(values.bins), share, level), level, "order-statistics")
    return _interval(student(values.n, values.total, values.squares, level), level, "student")


def _bootstrap(sample: Sample, level: float, ratio: float) -> Interval:
    """Return a seeded bootstrap interval; at ratio 0 it is the candidate's own."""
    b, a = sample.values()
    arm_a, arm_b = Arm(bins.from_pairs(a.bins)), Arm(bins.from_pairs(b.bins))
    statistic = sample.gate.metric.quantile or MEAN
    baseline = arm_b if ratio else arm_a
    plan = Resampling(max(REPLICATES, enough_replicates(level)), seed=1)
    limits = bootstrap_difference(arm_a, baseline, statistic, level, ratio=ratio, plan=plan)
    found = _interval(limits, level, "bootstrap")
    if statistic != MEAN:
        return found
    # Bins stand for their runs in the draws; the sums say exactly where the centre is.
    exact = _mean(a) - (ratio * _mean(b) if ratio else 0.0)
    shift = exact - found.estimate
    return Interval(exact, found.low + shift, found.high + shift, level, found.method)


def _interval(limits: tuple[Floats | float, Floats, Floats], level: float, method: str) -> Interval:
    estimate, low, high = limits
    return Interval(float(estimate), float(low), float(high), level, method)


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.estimate, -interval.high, -interval.low, interval.level, interval.method)
