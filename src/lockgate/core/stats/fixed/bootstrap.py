# SPDX-License-Identifier: Apache-2.0
"""Histograms of two arms come in; a seeded bootstrap interval for a difference of means or quantiles goes out.

Each replicate draws a Poisson count for every bin, with the bin's count as its mean: the binned form of the Poisson
bootstrap (Chamandy et al., "Estimating uncertainty for massive data streams", 2012; Hanley and MacGibbon, 2006).
A draw depends on the seed, the replicate, the arm, the bin and its count, and on nothing else. Spec: ST-18.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.bins import Histogram, lower_edge, representative, upper_edge
from lockgate.core.stats.elementary import Floats, total
from lockgate.core.stats.generator import poisson, stream, words
from lockgate.core.stats.micro import MICRO

Integers = NDArray[np.int64]

MEAN = "mean"
# Above every bin's index, so that a bin's counter is positive and the same whatever other bins hold.
_COUNTER_OFFSET = 4096


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often to draw, and from which seed."""

    replicates: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm's histogram; `sums` are the exact sums by bin in micro-units (else the bin's middle stands for each)."""

    bins: Histogram
    sums: ArrayLike | None = None


def enough_replicates(level: float) -> int:
    """Return how many replicates leave ten beyond each limit, at least a thousand."""
    return max(1000, int(np.ceil(20.0 / (1.0 - level))))


def bootstrap_difference(
    a: Arm, b: Arm, statistic: str | Fraction, level: float, ratio: float = 1.0, plan: Resampling | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return theta_a - ratio * theta_b with percentile limits (Efron and Tibshirani, 1993, section 13.3).

    `statistic` is "mean", or the q of a quantile, which is interpolated within its bin.
    Leading axes of the counts are kept; all rows share their words. An empty arm gives no numbers.
    """
    sampling = plan or Resampling(enough_replicates(level))
    value_a, drawn_a = _values(a, 0, statistic, sampling)
    value_b, drawn_b = _values(b, 1, statistic, sampling)
    drawn = np.sort(drawn_a - ratio * drawn_b, axis=-1)
    beyond = int((sampling.replicates + 1) * ((1.0 - level) / 2.0))
    if beyond < 1:
        raise ValueError(f"{sampling.replicates} replicates reach no level of {level}; {enough_replicates(level)} do")
    return (value_a - ratio * value_b)[()], drawn[..., beyond - 1][()], drawn[..., -beyond][()]


def _values(arm: Arm, number: int, statistic: str | Fraction, plan: Resampling) -> tuple[Floats, Floats]:
    """Return the arm's own value and those of its replicates [..., replicates]."""
    counts = arm.bins.counts
    drawn = _resampled(arm.bins, number, plan)
    if isinstance(statistic, str):
        if statistic != MEAN:
            raise ValueError(f"no such statistic: {statistic}")
        middles = _middles(arm)
        value, values = _mean(counts, middles), _mean(drawn, middles[..., None, :])
    else:
        value, values = _quantile(arm.bins.indices, counts, statistic), _quantile(arm.bins.indices, drawn, statistic)
    # A replicate that drew nobody says nothing: the arm's own value stands for it.
    return value, np.where(np.isnan(values), value[..., None], values)


def _resampled(bins: Histogram, number: int, plan: Resampling) -> Integers:
    """Return counts [..., replicates, bins]."""
    keys = stream(plan.seed, np.arange(plan.replicates))
    drawn = words(keys[:, None], (bins.indices + _COUNTER_OFFSET) * 2 + number)
    return poisson(drawn, bins.counts if bins.counts.ndim == 1 else bins.counts[..., None, :])


def _middles(arm: Arm) -> Floats:
    """Return what stands for a run of each bin, in units."""
    if arm.sums is None:
        return np.asarray(representative(arm.bins.indices) / float(MICRO))
    sums, counts = np.asarray(arm.sums, np.float64), arm.bins.counts
    return np.where(counts > 0, sums / np.maximum(counts, 1), 0.0) / float(MICRO)


def _mean(counts: Integers, middles: Floats) -> Floats:
    runs = counts.sum(axis=-1, dtype=np.int64)
    return np.asarray(np.where(runs > 0, total(counts * middles) / np.maximum(runs, 1), np.nan))


def _quantile(indices: Integers, counts: Integers, q: Fraction) -> Floats:
    """Return the q-quantile, linear within the bin of rank ceil(q n)."""
    if indices.size == 0:
        return np.full(counts.shape[:-1], np.nan)
    cumulative = counts.cumsum(axis=-1, dtype=np.int64)
    runs = cumulative[..., -1]
    rank = np.maximum(-(-runs * q.numerator // q.denominator), 1)
    position = np.minimum((cumulative < rank[..., None]).sum(axis=-1, dtype=np.int64), indices.size - 1)
    reached = np.take_along_axis(cumulative, position[..., None], axis=-1)[..., 0]
    held = np.take_along_axis(counts, position[..., None], axis=-1)[..., 0]
    part = 1.0 - (reached - runs * (q.numerator / q.denominator)) / np.maximum(held, 1)
    low, high = lower_edge(indices[position]), upper_edge(indices[position])
    return np.where(runs > 0, (low + part * (high - low)) / float(MICRO), np.nan)
