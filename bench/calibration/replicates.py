# SPDX-License-Identifier: Apache-2.0
"""Tallies of one bucket after another come in; the product's log e-values and log evidence, for all replicates, go out.

Only what an earlier bucket teaches is kept here, with a leading axis of replicates, as core/evidence keeps it for one
rollout; tests/bench compares the two. Every number that decides comes from core/stats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.calibration.laws import Counts, Integers
from lockgate.core.evidence.extent import CAP_QUANTILE, EXTENT_WARM_UP, known_extent, ranges
from lockgate.core.evidence.nuisance import RECENT_RUNS
from lockgate.core.evidence.plan import GatePlan, plan
from lockgate.core.evidence.state import Extent
from lockgate.core.metric import Worse, parse_metric
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.sequential import binary, ceiling, exceedance, mean, pairs, rate, share, wealth
from lockgate.core.stats.sequential.null import Null

Flags = NDArray[np.bool_]

# Times lie between these bins: 1 and 1e5 milliseconds.
_LOWEST, _HIGHEST = (int(index) for index in bins.index_of(np.array([MICRO, 10**5 * MICRO], np.int64)))


def share_gains(draws: Iterable[Counts], null: Null, *, mirrored: bool = False) -> Iterator[Floats]:
    """Yield method B's log e-values; the plug-in is the baseline's earlier rate."""
    judge = binary.mirrored_increments if mirrored else binary.increments
    runs: Integers | int = 0
    events: Integers | int = 0
    for now in draws:
        yield judge(now.n_a, now.s_a, now.n_b, now.s_b, binary.plug_in(runs, events), null)
        runs, events = runs + now.n_b, events + now.s_b


def rate_gains(draws: Iterable[Counts], ratio: float = 1.0) -> Iterator[Floats]:
    """Yield method R's log e-values."""
    for now in draws:
        yield rate.increments(now.n_a, now.s_a, now.n_b, now.s_b, ratio)


def ceiling_gains(draws: Iterable[Counts], limit: float) -> Iterator[Floats]:
    """Yield method A's log e-values of the candidate alone."""
    for now in draws:
        yield ceiling.increments(now.n_a, now.s_a, limit)


def pair_gains(draws: Iterable[Integers], offset: float = 0.0) -> Iterator[Floats]:
    """Yield method P's log e-values."""
    for losses, ties, wins in draws:
        yield pairs.increments(losses, ties, wins, offset)


def mean_gains(
    draws: Iterable[tuple[Integers, Integers]], signs: tuple[float, ...], extent: tuple[float, float] | None = None
) -> Iterator[Floats]:
    """Yield method M's log e-values, [signs, replicates, alternatives]; without an extent the baseline teaches it."""
    known: Known | None = None
    seen = mean.NO_MOMENTS
    waiting: list[Integers] = []
    for index_a, index_b in draws:
        if known is None or seen.buckets < mean.WARM_UP_BUCKETS:
            yield np.zeros((len(signs), len(index_a), len(mean.RELATIVE)))
        else:
            yield mean.increments(*_on_edges(index_a), *_on_edges(index_b), mean.bet_on(seen, known.span, Null()))
        if known is None:
            waiting.append(index_b)
            known = _known(waiting, signs, extent)
            learned = waiting if known is not None else []
        else:
            learned = [index_b]
        for index in learned:
            assert known is not None
            seen = mean.merge(seen, mean.moments(_units(index), np.ones_like(index), known.seen_in))


def quantile_gains(
    draws: Iterable[tuple[Integers, Integers]], quantile: Fraction, ratio: float = 1.0
) -> Iterator[Floats]:
    """Yield method Q's log e-values: exceedances of the baseline's earlier quantile."""
    indices = np.arange(_LOWEST, _HIGHEST + 1)
    recent: Integers | None = None
    for index_a, index_b in draws:
        if recent is None:
            recent = np.zeros((len(index_b), len(indices)), np.int64)
        n = int(recent[0].sum())
        if n < exceedance.WARM_UP_RUNS:
            yield np.zeros((len(index_b), binary.ALTERNATIVES))
        else:
            edge = exceedance.threshold(bins.Histogram(indices, recent), float(quantile))
            n_a, s_a = exceedance.exceedances(_runs(index_a), exceedance.harm_threshold(edge, ratio))
            n_b, s_b = exceedance.exceedances(_runs(index_b), edge)
            known = binary.plug_in(*exceedance.exceedances(bins.Histogram(indices, recent), edge))
            yield binary.increments(n_a, s_a, n_b, s_b, known, Null())
        recent = _learned(recent, index_b)


def ratio_evidence(
    rng: np.random.Generator, replicates: int, units: int, declared: float, actual: float
) -> Iterator[Floats]:
    """Yield method S's log evidence as units arrive."""
    n_a = np.zeros(replicates, np.int64)
    n = 0
    while True:
        n_a, n = n_a + rng.binomial(units, actual, replicates), n + units
        yield wealth.round_evidence(share.log_evidence(declared, n_a, n - n_a))


def evidence(gains: Iterable[Floats], arrangements: tuple[tuple[int, ...], ...]) -> Iterator[Floats]:
    """Yield the log evidence after each bucket, [arrangements, ...]; an arrangement says where its copies start."""
    stacks: list[Floats] = []
    for bucket, now in enumerate(gains):
        if not stacks:
            stacks = [np.zeros((*now.shape[:-1], len(starts), now.shape[-1])) for starts in arrangements]
        stacks = [
            wealth.grow(stack, now, np.array(starts) <= bucket)
            for stack, starts in zip(stacks, arrangements, strict=True)
        ]
        levels = [
            wealth.log_evidence(stack, wealth.copy_shares(len(starts)))
            for stack, starts in zip(stacks, arrangements, strict=True)
        ]
        yield wealth.round_evidence(np.stack(levels))


def crossings(levels: Iterable[Floats], threshold: float) -> Iterator[Flags]:
    """Yield after each bucket where the evidence has reached the threshold."""
    for level in levels:
        yield level >= threshold


def first_ticks(flags: Iterable[Flags], ticks: int, enough: float = 1.0) -> Integers:
    """Return the tick, from 1, at which each replicate is first called; ticks + 1 where it never is.

    It stops once this share of the replicates has been called.
    """
    first: Integers | None = None
    for tick, called in enumerate(islice(flags, ticks), 1):
        if first is None:
            first = np.full(called.shape, ticks + 1)
        first = np.where(called & (first > ticks), tick, first)
        if enough < 1.0 and float((first <= ticks).mean()) >= enough:
            break
    assert first is not None
    return first


def _units(index: Integers) -> Floats:
    return bins.representative(index) / MICRO


def _runs(index: Integers) -> bins.Histogram:
    """Return a histogram in which every run has a bin of its own."""
    return bins.Histogram(index, np.ones_like(index))


def _on_edges(index: Integers) -> tuple[Floats, Floats]:
    """Return runs at their bins' representatives as parts of runs at the bins' edges, as the product sees them."""
    lower, upper = bins.lower_edge(index), bins.upper_edge(index)
    at_upper = (bins.representative(index) - lower) / (upper - lower)
    return np.concatenate([lower, upper], axis=-1) / MICRO, np.concatenate([1.0 - at_upper, at_upper], axis=-1)


@dataclass(frozen=True)
class Known:
    """The range that each process clips to, and the one that the moments behind a bet are taken in."""

    span: mean.Span
    seen_in: mean.Span


def _known(waiting: list[Integers], signs: tuple[float, ...], extent: tuple[float, float] | None) -> Known | None:
    """Return the ranges of a mean, once enough of the baseline is known."""
    sign = np.array(signs)[:, None]
    if extent is not None:
        if len(waiting) < mean.WARM_UP_BUCKETS:
            return None
        known = known_extent(_planned(1.0, extent).gate)
        assert known is not None
        span = mean.Span(known.low / MICRO, known.high / MICRO, sign)
        return Known(span, span)
    seen = np.concatenate(waiting, axis=-1)
    n = seen.shape[-1]
    if n < EXTENT_WARM_UP:
        return None
    rank = -(-CAP_QUANTILE.numerator * n // CAP_QUANTILE.denominator)
    tops = bins.upper_edge(np.sort(seen, axis=-1)[:, rank - 1])
    plans = [_planned(each) for each in signs]
    reach = np.array([[ranges(each, Extent(0, int(top), is_learned=True))[1][0] for top in tops] for each in plans])
    return Known(mean.Span(0.0, reach, sign), mean.Span(0.0, tops / MICRO, sign))


def _planned(sign: float, extent: tuple[float, float] | None = None) -> GatePlan:
    """Return the plan of a gate on a mean that tolerates nothing."""
    metric = parse_metric("cost", Worse.HIGHER if sign > 0.0 else Worse.LOWER)
    gate = Gate(id="cost", metric=metric, share=1.0, min_runs=30, extent=extent)
    return plan(Policy(gates=(gate,), steps=(Step(kind=StepKind.WEIGHT, weight=50.0, min_runs=30),))).gates[0]


def _learned(recent: Integers, index: Integers) -> Integers:
    rows, width = recent.shape
    places = (np.clip(index, _LOWEST, _HIGHEST) - _LOWEST) + width * np.arange(rows)[:, None]
    recent = recent + np.bincount(places.reshape(-1), minlength=rows * width).reshape(rows, width)
    while int(recent[0].sum()) > RECENT_RUNS:
        # Halves of the running sums, so that ranks move by less than one.
        recent = np.diff(np.cumsum(recent, axis=-1) // 2, axis=-1, prepend=0)
    return recent
