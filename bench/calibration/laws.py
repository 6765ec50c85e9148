# SPDX-License-Identifier: Apache-2.0
"""A law of runs and a seeded generator come in; the tallies of one bucket after another, for all replicates, go out.

The last leading axis of every array is that of the replicates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lockgate.core.stats import bins, micro
from lockgate.core.stats.elementary import Floats

Integers = NDArray[np.int64]
Sampler = Callable[[Generator, tuple[int, int]], Floats]


@dataclass(frozen=True, slots=True)
class Counts:
    """Runs (or exposure) and events of one bucket of two arms."""

    n_a: Integers
    s_a: Integers
    n_b: Integers
    s_b: Integers


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one bucket carries: runs of both arms and the true rates of the event."""

    n_a: int
    n_b: int
    rate_a: float
    rate_b: float


@dataclass(frozen=True, slots=True)
class Split:
    """Candidate and baseline runs in each bucket."""

    a: int
    b: int

    def __str__(self) -> str:
        return f"{self.a}/{self.b}"


Course = Callable[[int], Traffic]


def steady(split: Split, rate_a: float, rate_b: float) -> Course:
    """Return a course on which nothing ever changes."""
    return lambda _: Traffic(split.a, split.b, rate_a, rate_b)


def ramp(weights: tuple[float, ...], buckets_per_step: int, runs: int, rate: Callable[[float], float]) -> Course:
    """Return a course of rising weights; the rate both arms share depends on how far the ramp has come, in [0, 1)."""

    def at(bucket: int) -> Traffic:
        step = min(bucket // buckets_per_step, len(weights) - 1)
        n_a = round(runs * weights[step])
        shared = rate(bucket / (buckets_per_step * len(weights)))
        return Traffic(n_a, runs - n_a, shared, shared)

    return at


def shares(rng: Generator, replicates: int, course: Course) -> Iterator[Counts]:
    """Yield independent runs that have the event or not."""
    bucket = 0
    while True:
        now = course(bucket)
        yield Counts(
            np.full(replicates, now.n_a),
            rng.binomial(now.n_a, now.rate_a, replicates),
            np.full(replicates, now.n_b),
            rng.binomial(now.n_b, now.rate_b, replicates),
        )
        bucket += 1


def family(
    rng: Generator, replicates: int, split: Split, rates: tuple[float, ...], correlation: float
) -> Iterator[Counts]:
    """Yield several events of the same runs, [metrics, replicates], whose normal scores are equally correlated."""
    from scipy.special import ndtri

    cuts = ndtri(np.array(rates, np.float32))[:, None, None]
    common, own = np.float32(math.sqrt(correlation)), np.float32(math.sqrt(1.0 - correlation))

    def arm(runs: int) -> tuple[Integers, Integers]:
        score = own * rng.standard_normal((len(rates), replicates, runs), dtype=np.float32)
        score += common * rng.standard_normal((replicates, runs), dtype=np.float32)
        return np.full((len(rates), replicates), runs), (score < cuts).sum(axis=-1)

    while True:
        n_a, s_a = arm(split.a)
        n_b, s_b = arm(split.b)
        yield Counts(n_a, s_a, n_b, s_b)


def bursts(
    rng: Generator, replicates: int, exposure: Split, per_unit: Callable[[int], float], factor: float = 1.0
) -> Iterator[Counts]:
    """Yield Poisson counts of events; both arms share a rate that may move from bucket to bucket."""
    bucket = 0
    while True:
        rate = per_unit(bucket)
        yield Counts(
            np.full(replicates, exposure.a),
            rng.poisson(exposure.a * rate * factor, replicates),
            np.full(replicates, exposure.b),
            rng.poisson(exposure.b * rate, replicates),
        )
        bucket += 1


def values(
    rng: Generator, replicates: int, split: Split, candidate: Sampler, baseline: Sampler
) -> Iterator[tuple[Integers, Integers]]:
    """Yield the bins of both arms' values, [replicates, runs], as the door bins them."""
    while True:
        yield (
            binned(candidate(rng, (replicates, split.a))),
            binned(baseline(rng, (replicates, split.b))),
        )


def binned(drawn: Floats) -> Integers:
    """Return the histogram bin of each value."""
    return bins.index_of(micro.from_float(drawn)).astype(np.int64)


def lognormal(sigma: float, scale: float = 1.0) -> Sampler:
    """Return a law of costs or latencies whose logarithm is normal."""
    return lambda rng, shape: scale * rng.lognormal(0.0, sigma, shape)


def with_slow_share(sampler: Sampler, share: float, factor: float) -> Sampler:
    """Return the law where a share of the runs takes some times as long."""

    def draw(rng: Generator, shape: tuple[int, int]) -> Floats:
        drawn = sampler(rng, shape)
        return np.where(rng.random(shape) < share, factor * drawn, drawn)

    return draw


def score(mean: float, weight: float = 10.0) -> Sampler:
    """Return a beta law on [0, 1]."""
    return lambda rng, shape: rng.beta(weight * mean, weight * (1.0 - mean), shape)


def probes(rng: Generator, replicates: int, per_bucket: int, law: tuple[float, float, float]) -> Iterator[Integers]:
    """Yield losses, ties and wins of paired runs, [3, replicates]."""
    while True:
        yield np.moveaxis(rng.multinomial(per_bucket, law, replicates), -1, 0)


def unit_rates(rng: Generator, shape: tuple[int, ...], mean: float, icc: float) -> Floats:
    """Return each unit's own rate of the event, so that runs of one unit correlate by `icc`."""
    weight = (1.0 - icc) / icc
    return rng.beta(mean * weight, (1.0 - mean) * weight, shape)
