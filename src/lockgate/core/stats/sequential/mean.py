# SPDX-License-Identifier: Apache-2.0
"""Histograms of one bucket of two arms come in; log evidence that arm a has the larger mean goes out.

Method M: bets on values clipped to a range declared beforehand, so its mean is that of the clipped values.
Everything that sizes a bet comes from earlier buckets (Moments, Bet).
Counts are [..., bins]; their leading axes broadcast with the arrays of the bet; the bets are a new last axis.
Spec: ST-53 to ST-56.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log1p, total
from lockgate.core.stats.sequential.null import Null

RELATIVE: Floats = np.array([0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.7, 1.0])
WARM_UP_BUCKETS = 2
# No bet may lose more than this share of its wealth on one value.
LARGEST_LOSS = 0.9
# An effect is never measured in less than this many standard deviations, so that means near zero can be bet on.
LEAST_SCALE = 0.1
# Of the range: a null that lies wholly outside it is refuted by a few values instead of never.
LEAST_ROOM = 0.01
# Smaller distances and variances are what rounding leaves of none; the second is relative to the scale's square.
_NOTHING = 1e-100
_ROUNDING = 1e-24


@dataclass(frozen=True, eq=False)
class Span:
    """The closed range that values are clipped to, and the side that is worse: +1 above, -1 below.

    It is itself and no other, so that what follows from it is found once for as long as it is kept.
    """

    low: float | Floats
    cap: float | Floats
    sign: float | Floats = 1.0

    @cached_property
    def ends(self) -> tuple[Floats, Floats]:
        """Return the least and the most that a value can be, more being worse."""
        low, cap = np.multiply(self.sign, self.low), np.multiply(self.sign, self.cap)
        return np.minimum(low, cap), np.maximum(low, cap)

    @cached_property
    def least_room(self) -> Floats:
        """Return the least loss that a bet is sized for: also where no value in it can lose, bets stay finite."""
        return LEAST_ROOM * np.asarray(np.subtract(self.cap, self.low), np.float64)

    def clip(self, values: ArrayLike) -> Floats:
        """Return the values clipped, [..., bins]."""
        low, cap = np.asarray(self.low, np.float64)[..., None], np.asarray(self.cap, np.float64)[..., None]
        return np.minimum(np.maximum(np.asarray(values, np.float64), low), cap)


@dataclass(frozen=True, slots=True)
class Moments:
    """Buckets, runs, mean and sum of squared deviations of the clipped values seen so far."""

    buckets: int | Floats
    n: float | Floats
    mean: float | Floats
    deviations: float | Floats

    @property
    def variance(self) -> Floats:
        """The variance with divisor n; 0 of nothing."""
        return np.asarray(self.deviations / np.maximum(self.n, 1.0), np.float64)


NO_MOMENTS = Moments(buckets=0, n=0.0, mean=0.0, deviations=0.0)


@dataclass(frozen=True, slots=True)
class Bet:
    """What a bucket's bets rest on: centre and variance of ratio * baseline (nan: no bet yet), the span, the null."""

    centre: float | Floats
    variance: float | Floats
    span: Span
    null: Null


def moments(values: ArrayLike, counts: ArrayLike, span: Span) -> Moments:
    """Return the moments of one bucket's histogram."""
    clipped, weights = np.broadcast_arrays(span.clip(values), np.asarray(counts, np.float64))
    n = total(weights)
    mean = total(weights * clipped) / np.maximum(n, 1.0)
    distance = clipped - mean[..., None]
    return Moments(1, n, mean, total(weights * (distance * distance)))


def merge(earlier: Moments, later: Moments) -> Moments:
    """Return the moments of both together.

    Source: Chan, Golub and LeVeque, The American Statistician 37 (1983) 242-247.
    """
    n = np.add(earlier.n, later.n)
    part = later.n / np.maximum(n, 1.0)
    shift = np.subtract(later.mean, earlier.mean)
    mean = earlier.mean + shift * part
    deviations = earlier.deviations + later.deviations + shift * shift * (earlier.n * part)
    return Moments(earlier.buckets + later.buckets, n, mean, deviations)


def bet_on(baseline: Moments, span: Span, null: Null) -> Bet:
    """Return the bet that the baseline's earlier buckets allow: none before the third bucket."""
    ready = (np.asarray(baseline.buckets) >= WARM_UP_BUCKETS) & (np.asarray(baseline.n) > 0.0)
    centre = np.where(ready, null.ratio * np.asarray(baseline.mean, np.float64), np.nan)
    return Bet(centre, null.ratio * (null.ratio * baseline.variance), span, null)


def increments(values_a: ArrayLike, counts_a: ArrayLike, values_b: ArrayLike, counts_b: ArrayLike, bet: Bet) -> Floats:
    """Return the log e-values of one bucket against sign * (mu_a - ratio * mu_b - offset) <= 0, [..., 8].

    Source: the factors of Waudby-Smith and Ramdas, JRSS-B 86 (2024) 1-27, on both arms at once.
    They are 0 before the warm-up is over and where an arm is empty.
    """
    n_a, n_b = _size(counts_a), _size(counts_b)
    sign, ratio = np.asarray(bet.span.sign, np.float64), np.asarray(bet.null.ratio, np.float64)
    open_ = (n_a > 0.0) & (n_b > 0.0) & (np.asarray(bet.centre) == bet.centre)
    centre = np.where(open_, bet.centre, 0.0)
    share_a = n_a / np.maximum(n_a + n_b, 1.0)
    from_null = sign * (centre + bet.null.offset)
    # The furthest that a value can lie on the losing side of its centre, weighted by what the other arm stakes.
    least, most = bet.span.ends
    worst_a, worst_b = (1.0 - share_a) * (from_null - least), share_a * (ratio * most - sign * centre)
    worst = np.maximum(np.maximum(worst_a, worst_b), bet.span.least_room)
    size = _sizes(worst, centre, np.asarray(bet.variance, np.float64))
    from_a = bet.span.clip(values_a) - (centre + bet.null.offset)[..., None]
    from_b = ratio[..., None] * bet.span.clip(values_b) - centre[..., None]
    stake_a, stake_b = size * (sign * (1.0 - share_a))[..., None], size * (-sign * share_a)[..., None]
    return np.where(open_[..., None], _gains((stake_a, from_a, counts_a), (stake_b, from_b, counts_b)), 0.0)


def one_sample_increments(values: ArrayLike, counts: ArrayLike, limit: ArrayLike, seen: Moments, span: Span) -> Floats:
    """Return the log e-values of one bucket against sign * (mu - limit) <= 0, [..., 8].

    Source: as `increments`, with one arm; the bets are sized by the arm's own earlier buckets.
    """
    sign, bound = np.asarray(span.sign, np.float64), np.asarray(limit, np.float64)
    open_ = (np.asarray(seen.buckets) >= WARM_UP_BUCKETS) & (np.asarray(seen.n) > 0.0)
    worst = np.maximum(sign * bound - span.ends[0], span.least_room)
    size = _sizes(worst, bound, seen.variance)
    gains = _gains((size * sign[..., None], span.clip(values) - bound[..., None], counts))
    return np.where(open_[..., None], gains, 0.0)


def _size(counts: ArrayLike) -> Floats:
    # Runs may be parted between the edges of a bin, but all of them are whole runs.
    return np.rint(total(np.asarray(counts, np.float64)))


def _sizes(worst: Floats, centre: Floats, variance: Floats) -> Floats:
    """Return the bets g_j [..., 8]: effects relative to the centre over the variance, within the largest loss.

    Where the range is a point there is no bet; without a variance the bets share the largest.
    """
    room = worst > _NOTHING
    largest = np.where(room, LARGEST_LOSS / np.where(room, worst, 1.0), 0.0)
    scale = np.maximum(np.abs(centre), LEAST_SCALE * np.sqrt(variance))
    spread = (variance > _NOTHING) & (variance > _ROUNDING * (scale * scale))
    wished = np.where(spread, scale / np.where(spread, variance, 1.0), largest)
    return np.minimum(RELATIVE * wished[..., None], largest[..., None])


def _gains(*arms: tuple[Floats, Floats, ArrayLike]) -> Floats:
    """Return the sum of count * log(1 + stake * distance) over all bins of arms (stakes, distances, counts), [..., 8].

    All arms go through one logarithm: for a few hundred bins its calls cost as much as its arithmetic.
    """
    parts = [(stakes[..., None], distance[..., None, :], np.asarray(n)[..., None, :]) for stakes, distance, n in arms]
    ends = [0]
    for _, distance, _ in parts:
        ends.append(ends[-1] + distance.shape[-1])
    leading = np.broadcast_shapes(*(x.shape[:-2] for part in parts for x in part))
    products = np.empty((*leading, len(RELATIVE), ends[-1]))
    for (stakes, distance, _), start, end in zip(parts, ends, ends[1:], strict=False):
        np.multiply(stakes, distance, out=products[..., start:end])
    gains = log1p(products)
    for (_, _, counts), start, end in zip(parts, ends, ends[1:], strict=False):
        gains[..., start:end] *= counts
    return total(gains)
