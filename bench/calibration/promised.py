# SPDX-License-Identifier: Apache-2.0
"""Two equal releases come in, for each method; how often the candidate is rolled back during a long watch goes out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
from numpy.random import Generator

from bench.calibration import laws, replicates
from bench.calibration.laws import Split
from bench.calibration.row import ALPHA, Case, Check, Row, Size
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.null import Null
from lockgate.core.stats.sequential.wealth import threshold

SECTION = "false_rollback"
Gains = Callable[[Generator, int], Iterator[Floats]]

WIDE, EVEN = Split(2, 38), Split(20, 20)
FAMILY = (0.01, 0.05, 0.1, 0.2, 0.5)
ALPHA_RATIO = 0.001


def restarts(buckets: int) -> tuple[int, ...]:
    """Return the buckets at which copies start: four steps of equal length."""
    return tuple(buckets * step // 4 for step in range(4))


def _called(gains: Iterator[Floats], size: Size, level: float) -> Floats:
    """Return where evidence ever reached the level, without and with copies restarted at steps, [2, ...]."""
    levels = replicates.evidence(gains, ((0,), restarts(size.buckets)))
    first = replicates.first_ticks(replicates.crossings(levels, level), size.buckets)
    return np.asarray(first <= size.buckets, np.float64)


def _row(method: str, law: str, split: str, called: Floats, size: Size) -> Row:
    plain, restarted = (float(share) for share in called.mean(axis=-1))
    bound = size.above(ALPHA)
    return Row(
        {"method": method, "law": law, "split": split, "observed": plain, "with_restarts": restarted},
        (Check("false rollback", plain, bound), Check("false rollback with step restarts", restarted, bound)),
    )


def _case(method: str, law: str, split: Split | str, gains: Gains) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        called = _called(gains(rng, size.replicates), size, threshold(ALPHA))
        return [_row(method, law, str(split), called, size)]

    return Case(SECTION, f"{method} {law} {split}", run)


def _binary(rate: float, split: Split) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.share_gains(laws.shares(rng, count, laws.steady(split, rate, rate)), Null())

    return _case("B", f"share {rate:.3g}", split, gains)


def _twin(rate: float, margin: float, split: Split) -> Case:
    """The promoting process where the candidate is worse by exactly the margin: a false `proven`."""

    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        course = laws.steady(split, rate + margin, rate)
        return replicates.share_gains(laws.shares(rng, count, course), Null(1.0, margin), mirrored=True)

    return _case("B, mirrored", f"share {rate:.3g}, worse by the margin of {margin:.3g}", split, gains)


def _rate(split: Split) -> Case:
    def moving(bucket: int) -> float:
        return 0.05 * (1.0 + 0.5 * math.sin(2.0 * math.pi * bucket / 50.0))

    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.rate_gains(laws.bursts(rng, count, split, moving))

    return _case("R", "Poisson, base moving by 50 %", split, gains)


def _limit(rate: float, runs: int) -> Case:
    split = Split(runs, 0)

    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.ceiling_gains(laws.shares(rng, count, laws.steady(split, rate, 0.0)), rate)

    return _case("A", f"share at its limit of {rate:.3g}", f"{runs}/-", gains)


def _quantile(quantile: Fraction, split: Split) -> Case:
    sampler = laws.lognormal(0.6, 200.0)

    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.quantile_gains(laws.values(rng, count, split, sampler, sampler), quantile)

    return _case("Q", f"p{float(100 * quantile):g}, lognormal s = 0.6", split, gains)


def _pairs(law: tuple[float, float, float]) -> Case:
    def gains(rng: Generator, count: int) -> Iterator[Floats]:
        return replicates.pair_gains(laws.probes(rng, count, 5, law))

    return _case("P", "/".join(f"{100 * part:g}" for part in law) + " % lost/tied/won", "5 pairs", gains)


def _mean(name: str, sampler: laws.Sampler, split: Split, extent: tuple[float, float] | None = None) -> Case:
    """Both directions on the same runs."""

    def run(rng: Generator, size: Size) -> list[Row]:
        draws = laws.values(rng, size.replicates, split, sampler, sampler)
        called = _called(replicates.mean_gains(draws, (1.0, -1.0), extent), size, threshold(ALPHA))
        return [
            _row("M", f"{name}, {side}", str(split), called[:, index], size)
            for index, side in enumerate(("up", "down"))
        ]

    return Case(SECTION, f"M {name} {split}", run)


def _family(correlation: float) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        draws = laws.family(rng, size.replicates, WIDE, FAMILY, correlation)
        level = threshold(ALPHA, 1.0 / len(FAMILY))
        called = _called(replicates.share_gains(draws, Null()), size, level).max(axis=1)
        return [_row("five B", f"shares of alpha, correlation {correlation:g}", str(WIDE), called, size)]

    return Case(SECTION, f"family {correlation}", run)


def _ratio() -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        levels = replicates.ratio_evidence(rng, size.replicates, 100, 0.05, 0.05)
        first = replicates.first_ticks(replicates.crossings(levels, threshold(ALPHA_RATIO)), size.buckets)
        alarmed = float((first <= size.buckets).mean())
        cells: dict[str, str | float | int | None] = {
            "method": "S", "law": f"5 % of units as declared, alpha {ALPHA_RATIO:g}", "split": "100 units",
            "observed": alarmed, "with_restarts": None,
        }  # fmt: skip
        return [Row(cells, (Check("false alarm", alarmed, size.above(ALPHA_RATIO)),))]

    return Case(SECTION, "S", run)


CASES = (
    _binary(0.001, Split(200, 3800)),
    _binary(0.01, Split(20, 380)),
    _binary(0.05, Split(20, 380)),
    _binary(0.05, EVEN),
    _binary(0.5, WIDE),
    _twin(0.05, 0.02, Split(20, 380)),
    _twin(0.2, 0.05, EVEN),
    _rate(Split(20, 380)),
    _rate(EVEN),
    _limit(0.05, 20),
    _limit(0.001, 200),
    *(
        _mean(f"lognormal s = {sigma:g}", laws.lognormal(sigma), split)
        for sigma in (1.0, 2.0)
        for split in (WIDE, EVEN)
    ),
    _mean("score of mean 0.8", laws.score(0.8), WIDE, (0.0, 1.0)),
    _quantile(Fraction(95, 100), WIDE),
    _quantile(Fraction(99, 100), WIDE),
    _quantile(Fraction(95, 100), EVEN),
    _pairs((0.3, 0.4, 0.3)),
    _pairs((0.05, 0.9, 0.05)),
    _family(0.0),
    _family(0.7),
    _ratio(),
)
