# SPDX-License-Identifier: Apache-2.0
"""A gate's tallies of one bucket come in; the log e-values of each of its processes go out, or the counts for them.

Shares and quantiles end in counts of two arms, which `fold` judges for all gates in one computation;
the other methods answer by themselves, [processes, alternatives].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lockgate.core.bucket import Events, Pairs, Values
from lockgate.core.evidence.nuisance import rank_bin
from lockgate.core.evidence.plan import GatePlan, Role, worse_limit
from lockgate.core.evidence.state import Nuisance
from lockgate.core.metric import Kind, Worse
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.sequential import binary, ceiling, exceedance, mean, pairs, rate
from lockgate.core.stats.sequential.null import Null


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of two arms per process, oriented so that the event is what the process gathers evidence of."""

    n_a: Floats
    s_a: Floats
    n_b: Floats
    s_b: Floats
    known: Floats
    null: Null


def share_counts(plan: GatePlan, nuisance: Nuisance, baseline: Events, candidate: Events) -> Counts:
    """Return the counts of a share: events for harm, their complements for the promoting processes."""
    rows = len(plan.processes)
    known = binary.plug_in(nuisance.n, nuisance.total)
    return _oriented(
        plan,
        Counts(
            np.full(rows, float(candidate.n)),
            np.full(rows, float(candidate.events)),
            np.full(rows, float(baseline.n)),
            np.full(rows, float(baseline.events)),
            np.full(rows, float(known)),
            Null(_ratios(plan), _offsets(plan)),
        ),
    )


def quantile_counts(plan: GatePlan, nuisance: Nuisance, baseline: Values, candidate: Values) -> Counts:
    """Return exceedances of the baseline's earlier quantile, the margin being in the candidate's threshold."""
    share = plan.gate.metric.quantile
    assert share is not None
    upward = plan.gate.metric.worse is Worse.HIGHER
    recent = nuisance.recent if upward else _mirror(nuisance.recent)
    index = rank_bin(recent, share if upward else 1 - share)
    base, cand = _histogram(baseline, upward=upward), _histogram(candidate, upward=upward)
    n_b, s_b = exceedance.exceedances(base, index)
    beyond = [_candidate_threshold(plan, row, index) for row in range(len(plan.processes))]
    n_a, s_a = exceedance.exceedances(cand, np.array(beyond))
    rows = len(plan.processes)
    tail = float(1 - share if upward else share)
    return _oriented(
        plan,
        Counts(
            n_a.astype(np.float64),
            s_a.astype(np.float64),
            np.full(rows, float(n_b)),
            np.full(rows, float(s_b)),
            np.full(rows, tail),
            Null(np.ones(rows), np.zeros(rows)),
        ),
    )


def rate_increments(plan: GatePlan, baseline: Values, candidate: Values) -> Floats:
    """Return the log e-values of events per run, exposure being the number of runs."""
    events_a, events_b = candidate.total / MICRO, baseline.total / MICRO
    ratios = _ratios(plan)
    upward = plan.gate.metric.worse is Worse.HIGHER
    straight = rate.increments(candidate.n, events_a, baseline.n, events_b, ratios)
    mirrored = rate.mirrored_increments(candidate.n, events_a, baseline.n, events_b, ratios)
    return np.where((_harm(plan) == upward)[:, None], straight, mirrored)


def mean_increments(plan: GatePlan, nuisance: Nuisance, baseline: Values, candidate: Values) -> Floats:
    """Return the log e-values of capped means, every value standing at its bin's representative."""
    values_a, counts_a = _values(candidate)
    values_b, counts_b = _values(baseline)
    side = 1.0 if plan.gate.metric.worse is Worse.HIGHER else -1.0
    null = Null(_ratios(plan), side * _offsets(plan))
    bet = mean.bet_on(_moments(nuisance), _span(plan, nuisance), null)
    return mean.increments(values_a, counts_a, values_b, counts_b, bet)


def pair_increments(plan: GatePlan, new: Pairs) -> Floats:
    """Return the log e-values of probes that both releases answered."""
    offsets = _offsets(plan)
    harm = pairs.increments(new.losses, new.ties, new.wins, offsets)
    promoting = pairs.mirrored_increments(new.losses, new.ties, new.wins, offsets)
    return np.where(_harm(plan)[:, None], harm, promoting)


def objective_increments(plan: GatePlan, nuisance: Nuisance, candidate: Events | Values) -> Floats:
    """Return the log e-values of a candidate against fixed limits, without a baseline."""
    if plan.gate.metric.kind is Kind.MEAN:
        assert isinstance(candidate, Values)
        values, counts = _values(candidate)
        limits = _ratios(plan) * (plan.gate.limit or 0.0) + _side(plan) * _offsets(plan)
        return mean.one_sample_increments(values, counts, limits, _moments(nuisance), _span(plan, nuisance))
    n, s, limits = _objective_counts(plan, candidate)
    harm, promoting = ceiling.increments(n, s, limits), ceiling.mirrored_increments(n, s, limits)
    return np.where(_harm(plan)[:, None], harm, promoting)


def _objective_counts(plan: GatePlan, candidate: Events | Values) -> tuple[Floats, Floats, Floats]:
    """Return runs, events and limits per process: for a quantile, runs beyond its limit against 1 - p of them."""
    rows = len(plan.processes)
    if isinstance(candidate, Events):
        limits = _ratios(plan) * worse_limit(plan.gate) + _offsets(plan)
        return np.full(rows, float(candidate.n)), np.full(rows, float(candidate.events)), limits
    share = plan.gate.metric.quantile
    assert share is not None
    upward = plan.gate.metric.worse is Worse.HIGHER
    histogram = _histogram(candidate, upward=upward)
    limit = (plan.gate.limit or 0.0) * (1 if upward else -1)
    index = int(bins.index_of(np.array([round(limit * MICRO)], np.int64))[0])
    beyond = [_candidate_threshold(plan, row, index) for row in range(rows)]
    n, s = exceedance.exceedances(histogram, np.array(beyond))
    tail = float(1 - share if upward else share)
    return n.astype(np.float64), s.astype(np.float64), np.full(rows, tail)


def _oriented(plan: GatePlan, counts: Counts) -> Counts:
    """Return the counts with the promoting processes' rows turned to complements, so that one null form serves all."""
    harm = _harm(plan)
    mirrored = counts.null.mirrored()
    return Counts(
        counts.n_a,
        np.where(harm, counts.s_a, counts.n_a - counts.s_a),
        counts.n_b,
        np.where(harm, counts.s_b, counts.n_b - counts.s_b),
        np.where(harm, counts.known, 1.0 - counts.known),
        Null(np.where(harm, counts.null.ratio, mirrored.ratio), np.where(harm, counts.null.offset, mirrored.offset)),
    )


def _candidate_threshold(plan: GatePlan, row: int, index: int) -> int:
    """Return the bin beyond which a candidate run counts, rounded so that the process stays valid."""
    process = plan.processes[row]
    ratio = process.bound.ratio if plan.gate.metric.worse is Worse.HIGHER else 2.0 - process.bound.ratio
    edge = exceedance.harm_threshold if process.role is Role.HARM else exceedance.mirrored_threshold
    return int(edge(index, ratio, process.bound.offset * MICRO))


def _span(plan: GatePlan, nuisance: Nuisance) -> mean.Span:
    extent = nuisance.extent
    assert extent is not None
    side = _side(plan)
    return mean.Span(extent.low / MICRO, extent.high / MICRO, np.where(_harm(plan), side, -side))


def _side(plan: GatePlan) -> float:
    return 1.0 if plan.gate.metric.worse is Worse.HIGHER else -1.0


def _moments(nuisance: Nuisance) -> mean.Moments:
    n = nuisance.n
    if n == 0:
        return mean.NO_MOMENTS
    deviations = (n * nuisance.squares - nuisance.total * nuisance.total) / (n * MICRO * MICRO)
    return mean.Moments(nuisance.buckets, float(n), nuisance.total / (n * MICRO), deviations)


def _values(tally: Values) -> tuple[Floats, NDArray[np.int64]]:
    histogram = _histogram(tally, upward=True)
    return bins.representative(histogram.indices) / MICRO, histogram.counts


def _histogram(tally: Values, *, upward: bool) -> bins.Histogram:
    table = np.array(tally.bins if upward else _mirror(tally.bins), np.int64).reshape(-1, 2)
    return bins.Histogram(table[:, 0], table[:, 1])


def _mirror(counts: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    return tuple((-index, number) for index, number in reversed(counts))


def _harm(plan: GatePlan) -> NDArray[np.bool_]:
    return np.array([process.role is Role.HARM for process in plan.processes])


def _ratios(plan: GatePlan) -> Floats:
    return np.array([process.bound.ratio for process in plan.processes])


def _offsets(plan: GatePlan) -> Floats:
    return np.array([process.bound.offset for process in plan.processes])
