# SPDX-License-Identifier: Apache-2.0
"""Candidates that are worse come in; after how many candidate runs the engine sees it goes out.

Beside it stands the number at which one single look at one-sided 5 % has a power of 80 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from bench.calibration import laws, replicates
from bench.calibration.laws import Split
from bench.calibration.naive import fixed_sample_size
from bench.calibration.row import ALPHA, Case, Row, Size
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.null import Null
from lockgate.core.stats.sequential.wealth import threshold

SECTION = "power"
MOST_BUCKETS = 4_000
# Buckets go on until the 80th percentile is known.
ENOUGH = 0.81
WIDE, EVEN = Split(20, 380), Split(20, 20)
Gains = Callable[[Generator, int], Iterator[Floats]]


def _case(
    cells: tuple[str, str, str], runs_per_bucket: int, fixed: float | None, gains: Gains, share: float = 1.0
) -> Case:
    method, change, split = cells

    def run(rng: Generator, size: Size) -> list[Row]:
        levels = replicates.evidence(gains(rng, size.replicates), ((0,),))
        crossed = replicates.crossings(levels, threshold(ALPHA, share))
        runs = replicates.first_ticks(crossed, MOST_BUCKETS, ENOUGH).reshape(-1) * runs_per_bucket
        median, most = float(np.median(runs)), float(np.quantile(runs, 0.8))
        return [
            Row({"method": method, "change": change, "split": split, "median": median, "p80": most, "fixed": fixed})
        ]

    return Case(SECTION, f"{method} {change} {split}", run)


def _share(base: float, candidate: float, split: Split, gates: int = 1) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.share_gains(laws.shares(rng, count, laws.steady(split, candidate, base)), Null())

    fixed = fixed_sample_size(candidate - base, candidate * (1 - candidate), base * (1 - base), split.b / split.a)
    change = f"{100 * base:g} % to {100 * candidate:g} %" + (f", one of {gates} gates" if gates > 1 else "")
    return _case(("B", change, str(split)), split.a, fixed if gates == 1 else None, gains, 1.0 / gates)


def _cost(sigma: float, factor: float) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        draws = laws.values(rng, count, WIDE, laws.lognormal(sigma, factor), laws.lognormal(sigma))
        return replicates.mean_gains(draws, (1.0 if factor > 1.0 else -1.0,))

    mean = math.exp(sigma * sigma / 2.0)
    variance = (math.exp(sigma * sigma) - 1.0) * math.exp(sigma * sigma)
    fixed = fixed_sample_size(mean * (factor - 1.0), factor * factor * variance, variance, WIDE.b / WIDE.a)
    return _case(("M", f"lognormal s = {sigma:g}, times {factor:g}", str(WIDE)), WIDE.a, fixed, gains)


def _score(base: float, candidate: float) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        draws = laws.values(rng, count, WIDE, laws.score(candidate), laws.score(base))
        return replicates.mean_gains(draws, (-1.0,), (0.0, 1.0))

    variances = (candidate * (1 - candidate) / 11.0, base * (1 - base) / 11.0)
    fixed = fixed_sample_size(candidate - base, *variances, WIDE.b / WIDE.a)
    return _case(("M", f"score of mean {base:g} to {candidate:g}", str(WIDE)), WIDE.a, fixed, gains)


def _latency(quantile: Fraction, change: str, slower: laws.Sampler, exceeding: float) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        draws = laws.values(rng, count, WIDE, slower, laws.lognormal(0.6, 200.0))
        return replicates.quantile_gains(draws, quantile)

    tail = float(1 - quantile)
    fixed = fixed_sample_size(exceeding - tail, exceeding * (1 - exceeding), tail * (1 - tail), WIDE.b / WIDE.a)
    return _case(("Q", f"p{float(100 * quantile):g}, {change}", str(WIDE)), WIDE.a, fixed, gains)


def _exceeding(quantile_score: float, factor: float) -> float:
    """Return the share beyond the baseline's quantile, given as a normal score, of runs that take so many times."""
    return 0.5 * math.erfc((quantile_score - math.log(factor) / 0.6) / math.sqrt(2.0))


def _pairs(law: tuple[float, float, float]) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.pair_gains(laws.probes(rng, count, 1, law))

    lost, _, won = law
    fixed = fixed_sample_size(lost - won, lost + won - (lost - won) * (lost - won), 0.0, 1.0)
    return _case(("P", f"{100 * lost:g} % lost, {100 * won:g} % won", "1 pair"), 1, fixed, gains)


_P95, _P99 = 1.6448536269514722, 2.3263478740408408
CASES = (
    _share(0.01, 0.02, WIDE),
    _share(0.01, 0.05, WIDE),
    _share(0.05, 0.075, WIDE),
    _share(0.05, 0.10, WIDE),
    _share(0.05, 0.10, WIDE, gates=5),
    _share(0.05, 0.10, EVEN),
    _share(0.20, 0.30, EVEN),
    _share(0.50, 0.60, EVEN),
    _cost(1.0, 1.1),
    _cost(1.0, 1.3),
    _cost(2.0, 1.5),
    _cost(1.0, 0.8),
    _score(0.80, 0.77),
    _latency(Fraction(95, 100), "all times 1.2", laws.lognormal(0.6, 240.0), _exceeding(_P95, 1.2)),
    _latency(
        Fraction(95, 100), "5 % of runs times 3", laws.with_slow_share(laws.lognormal(0.6, 200.0), 0.05, 3.0),
        0.95 * 0.05 + 0.05 * _exceeding(_P95, 3.0),
    ),
    _latency(Fraction(99, 100), "all times 1.2", laws.lognormal(0.6, 240.0), _exceeding(_P99, 1.2)),
    _pairs((0.40, 0.35, 0.25)),
    _pairs((0.35, 0.40, 0.25)),
    _pairs((0.06, 0.92, 0.02)),
)  # fmt: skip
