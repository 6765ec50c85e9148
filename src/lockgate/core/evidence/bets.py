# SPDX-License-Identifier: Apache-2.0
"""A gate's tallies of one bucket come in; the log e-values of each of its processes go out, or the counts for them.

Shares and quantiles end in counts of two arms, which `fold` judges for all gates in one computation; the other methods
answer by themselves, [processes, alternatives]. What is one number for each process is no array: of so few, Python's
own numbers come to the same bits in less time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np

from lockgate.core.bucket import Events, Pairs, Values
from lockgate.core.evidence import tail
from lockgate.core.evidence.extent import ranges
from lockgate.core.evidence.plan import GatePlan, Role, worse_limit
from lockgate.core.evidence.state import Bins, Extent, Nuisance
from lockgate.core.metric import Kind, Worse
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.sequential import binary, ceiling, exceedance, mean, pairs, rate
from lockgate.core.stats.sequential.null import Null


class Counts(NamedTuple):
    """One process's counts of two arms, what was known before, and its null; the event is what it has evidence of."""

    n_a: float
    s_a: float
    n_b: float
    s_b: float
    known: float
    ratio: float
    offset: float

    def mirrored(self) -> Counts:
        """Return the counts of the complements, so that one form of null serves all processes."""
        return Counts(
            n_a=self.n_a,
            s_a=self.n_a - self.s_a,
            n_b=self.n_b,
            s_b=self.n_b - self.s_b,
            known=1.0 - self.known,
            ratio=self.ratio,
            offset=1.0 - self.ratio - self.offset,
        )


def judged(counts: Sequence[Counts]) -> Floats:
    """Return the log e-values of processes, [processes, alternatives]."""
    n_a, s_a, n_b, s_b, known, ratio, offset = np.array(counts).T
    return binary.increments(n_a, s_a, n_b, s_b, known, Null(ratio, offset))


def share_counts(plan: GatePlan, nuisance: Nuisance, baseline: Events, candidate: Events) -> list[Counts]:
    """Return the counts of a share: events for harm, their complements for the promoting processes."""
    known = float(binary.plug_in(nuisance.n, nuisance.total))
    arms = (float(candidate.n), float(candidate.events), float(baseline.n), float(baseline.events))
    return _oriented(plan, [Counts(*arms, known, each.bound.ratio, each.bound.offset) for each in plan.processes])


def quantile_counts(plan: GatePlan, nuisance: Nuisance, baseline: Values, candidate: Values) -> list[Counts]:
    """Return exceedances of the baseline's earlier quantile, the margin being in the candidate's threshold."""
    quantile = plan.gate.metric.quantile
    assert quantile is not None
    upward = plan.gate.metric.worse is Worse.HIGHER
    recent, base, cand = (
        counts if upward else _mirror(counts) for counts in (nuisance.recent, baseline.bins, candidate.bins)
    )
    index = tail.threshold(recent, float(quantile if upward else 1 - quantile))
    known = float(binary.plug_in(nuisance.n, tail.beyond(recent, index)))
    n_a, n_b, s_b = float(candidate.n), float(baseline.n), float(tail.beyond(base, index))
    exceeding = (float(tail.beyond(cand, each)) for each in _candidate_thresholds(plan, index))
    return _oriented(plan, [Counts(n_a, s_a, n_b, s_b, known, 1.0, 0.0) for s_a in exceeding])


def rate_increments(plan: GatePlan, nuisance: Nuisance, baseline: Values, candidate: Values) -> Floats:
    """Return the log e-values of events per run, exposure being the number of runs.

    Events that come in bursts carry less evidence than as many that come singly: log e-values are divided by how much
    more than Poisson counts the baseline's earlier runs varied (quasi-likelihood: Wedderburn, Biometrika 61, 1974).
    """
    events_a, events_b = candidate.total / MICRO, baseline.total / MICRO
    ratios = plan.ratios
    straight = plan.harm == (plan.gate.metric.worse is Worse.HIGHER)
    # lambda_a >= ratio * lambda_b is lambda_b <= lambda_a / ratio: the same null with the arms exchanged.
    gains = rate.increments(
        np.where(straight, candidate.n, baseline.n),
        np.where(straight, events_a, events_b),
        np.where(straight, baseline.n, candidate.n),
        np.where(straight, events_b, events_a),
        np.where(straight, ratios, 1.0 / ratios),
    )
    return gains / _dispersion(nuisance)


def mean_increments(plan: GatePlan, nuisance: Nuisance, baseline: Values, candidate: Values) -> Floats:
    """Return the log e-values of clipped means."""
    values_a, counts_a = _on_edges(candidate)
    values_b, counts_b = _on_edges(baseline)
    side = 1.0 if plan.gate.metric.worse is Worse.HIGHER else -1.0
    null = Null(plan.ratios, side * plan.offsets)
    bet = mean.bet_on(_moments(nuisance), _span(plan, nuisance), null)
    return mean.increments(values_a, counts_a, values_b, counts_b, bet)


def pair_increments(plan: GatePlan, new: Pairs) -> Floats:
    """Return the log e-values of probes that both releases answered."""
    lost, won = np.where(plan.harm, new.losses, new.wins), np.where(plan.harm, new.wins, new.losses)
    return pairs.gains(lost, new.ties, won, plan.pair_factors)


def objective_increments(plan: GatePlan, nuisance: Nuisance, candidate: Events | Values) -> Floats:
    """Return the log e-values of a candidate against fixed limits, without a baseline."""
    if plan.gate.metric.kind is Kind.MEAN:
        assert isinstance(candidate, Values)
        values, counts = _on_edges(candidate)
        limits = plan.ratios * (plan.gate.limit or 0.0) + _side(plan) * plan.offsets
        return mean.one_sample_increments(values, counts, limits, _moments(nuisance), _span(plan, nuisance))
    n, s, limits = _objective_counts(plan, candidate)
    return ceiling.increments(n, np.where(plan.harm, s, n - s), np.where(plan.harm, limits, 1.0 - limits))


def _objective_counts(plan: GatePlan, candidate: Events | Values) -> tuple[Floats, Floats, Floats]:
    """Return runs, events and limits per process: for a quantile, runs beyond its limit against 1 - p of them."""
    rows = len(plan.processes)
    if isinstance(candidate, Events):
        limits = plan.ratios * worse_limit(plan.gate) + plan.offsets
        return np.full(rows, float(candidate.n)), np.full(rows, float(candidate.events)), limits
    share = plan.gate.metric.quantile
    assert share is not None
    upward = plan.gate.metric.worse is Worse.HIGHER
    side = 1.0 if upward else -1.0
    bounds = np.rint((plan.ratios * (side * (plan.gate.limit or 0.0)) + plan.offsets) * MICRO).astype(np.int64)
    # Of the bin that holds the bound, harm counts no run and its absence every run.
    beyond = bins.index_of(bounds).astype(np.int64) - np.where(plan.harm, 0, 1)
    n, s = exceedance.exceedances(_bins(candidate.bins, upward=upward), beyond)
    tail = float(1 - share if upward else share)
    return n.astype(np.float64), s.astype(np.float64), np.full(rows, tail)


def _oriented(plan: GatePlan, counts: Iterable[Counts]) -> list[Counts]:
    """Return the counts with those of the promoting processes turned to complements."""
    paired = zip(plan.processes, counts, strict=True)
    return [each if process.role is Role.HARM else each.mirrored() for process, each in paired]


@lru_cache(maxsize=1024)
def _candidate_thresholds(plan: GatePlan, index: int) -> tuple[int, ...]:
    """Return the bins beyond which a candidate run counts, rounded so that each process stays valid.

    The baseline's quantile stays in its bin for many buckets.
    """
    ratios = plan.ratios if plan.gate.metric.worse is Worse.HIGHER else 2.0 - plan.ratios
    offsets = plan.offsets * MICRO
    found = exceedance.candidate_thresholds(index, ratios, offsets, is_harm=plan.harm)
    return tuple(found.tolist())


def _span(plan: GatePlan, nuisance: Nuisance) -> mean.Span:
    assert nuisance.extent is not None
    return _span_over(plan, nuisance.extent)


@lru_cache(maxsize=1024)
def _span_over(plan: GatePlan, extent: Extent) -> mean.Span:
    """Return the span of each process; the same for as long as the extent is."""
    side = _side(plan)
    low, high = ranges(plan, extent)
    return mean.Span(low, high, np.where(plan.harm, side, -side))


def _side(plan: GatePlan) -> float:
    return 1.0 if plan.gate.metric.worse is Worse.HIGHER else -1.0


def _moments(nuisance: Nuisance) -> mean.Moments:
    n = nuisance.n
    if n == 0:
        return mean.NO_MOMENTS
    deviations = (n * nuisance.squares - nuisance.total * nuisance.total) / (n * MICRO * MICRO)
    return mean.Moments(nuisance.buckets, float(n), nuisance.total / (n * MICRO), deviations)


def _dispersion(nuisance: Nuisance) -> float:
    n, total, squares = nuisance.n, nuisance.total, nuisance.squares
    if total <= 0:
        return 1.0
    # The variance of one run over its mean, in events: both are whole numbers of micro-units.
    return max(1.0, (n * squares - total * total) / (n * total * MICRO))


def _on_edges(tally: Values) -> tuple[Floats, Floats]:
    """Return the edges of the bins, and the runs at each once every bin's runs are parted between its two edges.

    The parts keep the exact sum. Of all values with that sum in a bin, those on its edges make the least of a bet,
    because log(1 + slope * (x - centre)) is concave in x: so the e-value is at most that of the values themselves.
    """
    counted = _bins(tally.bins, upward=True)
    lower, upper = bins.lower_edge(counted.indices), bins.upper_edge(counted.indices)
    at_upper = np.array(tally.excess, np.float64) / (upper - lower)
    first = int(counted.indices[0])
    runs = np.zeros(int(counted.indices[-1]) - first + 2)
    runs[counted.indices - first] = counted.counts - at_upper
    runs[counted.indices - first + 1] += at_upper
    held = np.flatnonzero(runs)
    return bins.lower_edge(held + first) / MICRO, runs[held]


def _bins(counts: Bins, *, upward: bool) -> bins.Histogram:
    pairs_of = counts if upward else _mirror(counts)
    table = np.fromiter(chain.from_iterable(pairs_of), np.int64, 2 * len(pairs_of)).reshape(-1, 2)
    return bins.Histogram(table[:, 0], table[:, 1])


def _mirror(counts: Bins) -> Bins:
    return tuple((-index, number) for index, number in reversed(counts))
