# SPDX-License-Identifier: Apache-2.0
"""A baseline's tally comes in; what the next buckets may bet on goes out, in a size that stays the same.

Everything here is read before the bucket that it came with is judged by it, never during.
"""

from __future__ import annotations

from dataclasses import replace
from operator import mul

from lockgate.core.bucket import Events, Values
from lockgate.core.evidence.extent import known_extent, learned_extent
from lockgate.core.evidence.state import Bins, Nuisance
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.stats import bins
from lockgate.core.stats.sequential.mean import WARM_UP_BUCKETS

# Past this many runs the counts are halved: the threshold follows a drifting baseline, and the state stays small.
RECENT_RUNS = 8192


def learn(gate: Gate, nuisance: Nuisance, baseline: Events | Values) -> Nuisance:
    """Return the nuisance with one more bucket of the baseline in it."""
    buckets = nuisance.buckets + 1
    if isinstance(baseline, Events):
        return replace(nuisance, buckets=buckets, n=nuisance.n + baseline.n, total=nuisance.total + baseline.events)
    if gate.metric.kind is Kind.QUANTILE:
        recent = add_bins(nuisance.recent, baseline.bins)
        n = nuisance.n + baseline.n
        while n > RECENT_RUNS:
            n, recent = n // 2, halve(recent)
        return replace(nuisance, buckets=buckets, n=n, recent=recent)
    if gate.metric.kind is Kind.MEAN:
        return _learn_mean(gate, nuisance, baseline)
    return replace(
        nuisance,
        buckets=buckets,
        n=nuisance.n + baseline.n,
        total=nuisance.total + baseline.total,
        squares=nuisance.squares + baseline.squares,
    )


def _learn_mean(gate: Gate, nuisance: Nuisance, baseline: Values) -> Nuisance:
    if nuisance.extent is not None:
        return _add_clipped(nuisance, baseline.bins, nuisance.buckets + 1)
    seen = replace(nuisance, buckets=nuisance.buckets + 1, recent=add_bins(nuisance.recent, baseline.bins))
    extent = known_extent(gate)
    if extent is None and seen.buckets >= WARM_UP_BUCKETS:
        extent = learned_extent(gate, seen.recent)
    if extent is None:
        return seen
    return _add_clipped(replace(seen, extent=extent, recent=()), seen.recent, seen.buckets)


def _add_clipped(nuisance: Nuisance, new: Bins, buckets: int) -> Nuisance:
    extent = nuisance.extent
    assert extent is not None
    indices, counts = zip(*new, strict=True) if new else ((), ())
    values = bins.representative(indices).clip(extent.low, extent.high).tolist()
    totals = list(map(mul, values, counts))
    return replace(
        nuisance,
        buckets=buckets,
        n=nuisance.n + sum(counts),
        total=nuisance.total + sum(totals),
        squares=nuisance.squares + sum(map(mul, values, totals)),
    )


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
