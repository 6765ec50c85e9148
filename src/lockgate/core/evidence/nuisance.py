# SPDX-License-Identifier: Apache-2.0
"""A baseline's tally comes in; what the next buckets may bet on goes out, in a size that stays the same.

Everything here is read before the bucket that it came with is judged by it, never during.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from lockgate.core.bucket import Events, Values
from lockgate.core.evidence.state import Extent, Nuisance
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.stats import bins
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.sequential.mean import WARM_UP_BUCKETS

# Baseline runs that the learned range of a mean waits for.
EXTENT_WARM_UP = 200
# Past this many runs the counts are halved: the threshold follows a drifting baseline, and the state stays small.
RECENT_RUNS = 8192
CAP_QUANTILE = Fraction(995, 1000)
SCORE_RANGE = Extent(0, MICRO)

Bins = tuple[tuple[int, int], ...]


def learn(gate: Gate, nuisance: Nuisance, baseline: Events | Values) -> Nuisance:
    """Return the nuisance with one more bucket of the baseline in it."""
    nuisance = replace(nuisance, buckets=nuisance.buckets + 1)
    if isinstance(baseline, Events):
        return replace(nuisance, n=nuisance.n + baseline.n, total=nuisance.total + baseline.events)
    if gate.metric.kind is Kind.QUANTILE:
        recent = add_bins(nuisance.recent, baseline.bins)
        n = nuisance.n + baseline.n
        while n > RECENT_RUNS:
            n, recent = n // 2, halve(recent)
        return replace(nuisance, n=n, recent=recent)
    if gate.metric.kind is Kind.MEAN:
        return _learn_mean(gate, nuisance, baseline)
    return nuisance


def _learn_mean(gate: Gate, nuisance: Nuisance, baseline: Values) -> Nuisance:
    if nuisance.extent is not None:
        return _add_capped(nuisance, baseline.bins)
    seen = replace(nuisance, recent=add_bins(nuisance.recent, baseline.bins))
    extent = _extent(gate, seen)
    if extent is None:
        return seen
    return _add_capped(replace(seen, extent=extent, recent=()), seen.recent)


def _extent(gate: Gate, seen: Nuisance) -> Extent | None:
    """Return the range to cap to: declared, else a score's own, else the baseline's own p99.5 (and p0.5)."""
    if gate.extent is not None:
        low, high = gate.extent
        return Extent(round(low * MICRO), round(high * MICRO))
    enough = seen.buckets >= WARM_UP_BUCKETS
    least, most = _representative(seen.recent[0][0]), _representative(seen.recent[-1][0])
    if gate.metric.is_score and SCORE_RANGE.low <= least and most <= SCORE_RANGE.high:
        return SCORE_RANGE if enough else None
    n = sum(number for _, number in seen.recent)
    if n < EXTENT_WARM_UP:
        return None
    low = 0 if least >= 0 else _representative(rank_bin(seen.recent, n, 1 - CAP_QUANTILE))
    return Extent(low, max(_representative(rank_bin(seen.recent, n, CAP_QUANTILE)), low + 1))


def _add_capped(nuisance: Nuisance, new: Bins) -> Nuisance:
    extent = nuisance.extent
    assert extent is not None
    n, total, squares = nuisance.n, nuisance.total, nuisance.squares
    values = bins.representative([index for index, _ in new]).clip(extent.low, extent.high).tolist()
    for value, (_, number) in zip(values, new, strict=True):
        n += number
        total += number * value
        squares += number * value * value
    return replace(nuisance, n=n, total=total, squares=squares)


def rank_bin(counts: Bins, n: int, quantile: Fraction) -> int:
    """Return the bin that holds the run of rank ceil(quantile * n) of n runs."""
    rank = max(1, -(-quantile.numerator * n // quantile.denominator))
    seen = 0
    for index, number in counts:
        seen += number
        if seen >= rank:
            return index
    return counts[-1][0]


def add_bins(left: Bins, right: Bins) -> Bins:
    """Return both counts by bin, added."""
    merged = dict(left)
    for index, number in right:
        merged[index] = merged.get(index, 0) + number
    return tuple(sorted(merged.items()))


def halve(counts: Bins) -> Bins:
    """Return half the counts; ranks move by less than one, because the running sum is what is halved."""
    halved, seen = [], 0
    for index, number in counts:
        kept = (seen + number) // 2 - seen // 2
        seen += number
        if kept:
            halved.append((index, kept))
    return tuple(halved)


def _representative(index: int) -> int:
    return int(bins.representative(index))
