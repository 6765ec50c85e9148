# SPDX-License-Identifier: Apache-2.0
"""Equal releases under repeated looks, moving base rates and returning users come in; false rollbacks go out.

Beside the engine stands what a plain rule makes of the same runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator

from bench.calibration import laws, naive, replicates
from bench.calibration.laws import Counts, Integers, Split
from bench.calibration.promised import restarts
from bench.calibration.row import ALPHA, Case, Cell, Check, Row, Size
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.null import Null
from lockgate.core.stats.sequential.wealth import threshold

LOOKS, DRIFT, UNITS = "looks", "drift", "units"
MARKS = (10, 50, 200, 1000)
WEIGHTS = (0.05, 0.25, 0.5, 0.75)
BUCKETS_PER_STEP, RUNS = 50, 400
UNITS_A, UNITS_B, RUNS_PER_UNIT, UNIT_BUCKETS = 200, 3800, 10, 200
# How often a unit comes back in a long rollout.
VISITS = 100
_ONCE = "each unit once"
BASE = 0.05
# Repeated looks have to be seen to break their nominal 2.5 %.
NAIVE_AT_LEAST = 0.15


def _engine_first(draws: Iterator[Counts], buckets: int) -> Integers:
    levels = replicates.evidence(replicates.share_gains(draws, Null()), ((0,),))
    first: Integers = replicates.first_ticks(replicates.crossings(levels, threshold(ALPHA)), buckets)[0]
    return first


def _curve(first: Integers, ticks: int) -> dict[str, list[float]]:
    marks = sorted({round(ticks ** (step / 24.0)) for step in range(25)})
    return {"ticks": [float(mark) for mark in marks], "share": [float((first <= mark).mean()) for mark in marks]}


def _looks(rule: str, split: Split, first_of: Callable[[Generator, Size], Integers], *, is_engine: bool) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        first = first_of(rng, size)
        cells: dict[str, Cell] = {"rule": rule, "split": str(split)}
        for mark in MARKS:
            cells[f"at_{mark}"] = float((first <= mark).mean()) if mark <= size.buckets else None
        last = float((first <= size.buckets).mean())
        if is_engine:
            check = Check("false rollback", last, size.above(ALPHA))
        else:
            chance = size.above(NAIVE_AT_LEAST) - NAIVE_AT_LEAST if size.smoke else 0.0
            check = Check("false rollback of the plain rule", last, NAIVE_AT_LEAST - chance, at_most=False)
        return [Row(cells, (check,), _curve(first, size.buckets))]

    return Case(LOOKS, f"{rule} {split}", run)


def _newcombe_first(split: Split) -> Callable[[Generator, Size], Integers]:
    def first(rng: Generator, size: Size) -> Integers:
        draws = laws.shares(rng, size.replicates, laws.steady(split, BASE, BASE))
        return replicates.first_ticks(naive.pooled_newcombe(draws), size.buckets)

    return first


def _method_b_first(split: Split) -> Callable[[Generator, Size], Integers]:
    def first(rng: Generator, size: Size) -> Integers:
        return _engine_first(laws.shares(rng, size.replicates, laws.steady(split, BASE, BASE)), size.buckets)

    return first


def _rank_first(rng: Generator, size: Size) -> Integers:
    return replicates.first_ticks(naive.mann_whitney(rng, size.replicates, size.buckets), size.buckets)


def _drift(name: str, rate: Callable[[float], float], pooled_at_least: float | None) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        buckets = BUCKETS_PER_STEP * len(WEIGHTS)
        course = laws.ramp(WEIGHTS, BUCKETS_PER_STEP, RUNS, rate)
        seed = int(rng.integers(1 << 62))

        def draws() -> Iterator[Counts]:
            return laws.shares(np.random.default_rng(seed), size.replicates, course)

        levels = replicates.evidence(replicates.share_gains(draws(), Null()), ((0,), restarts(buckets)))
        first = replicates.first_ticks(replicates.crossings(levels, threshold(ALPHA)), buckets)
        plain, restarted = (float(share) for share in (first <= buckets).mean(axis=-1))
        pooled = float((replicates.first_ticks(naive.pooled_newcombe(draws()), buckets) <= buckets).mean())
        bound = size.above(ALPHA)
        checks = [Check("false rollback", plain, bound), Check("false rollback with step restarts", restarted, bound)]
        if pooled_at_least is not None:
            checks.append(Check("false rollback of the pooled rule", pooled, pooled_at_least, at_most=False))
        return [Row({"base": name, "observed": plain, "with_restarts": restarted, "pooled": pooled}, tuple(checks))]

    return Case(DRIFT, name, run)


def _unit_rates(rng: Generator, size: Size, icc: float) -> tuple[Floats, Floats]:
    """Return each unit's rate of the event, candidates' and baseline's, [replicates, units]."""
    a = laws.unit_rates(rng, (size.replicates, UNITS_A), BASE, icc)
    return a, laws.unit_rates(rng, (size.replicates, UNITS_B), BASE, icc)


def _each_run(rng: Generator, size: Size, icc: float) -> Iterator[Counts]:
    """Yield runs in the buckets in which they happened: each unit comes back ten times at random."""
    tallies = []
    for rates in _unit_rates(rng, size, icc):
        n = np.empty((size.replicates, UNIT_BUCKETS), np.int64)
        s = np.empty_like(n)
        for replicate, own in enumerate(rates):
            when = rng.integers(0, UNIT_BUCKETS, (len(own), RUNS_PER_UNIT))
            happened = rng.random(when.shape) < own[:, None]
            n[replicate] = np.bincount(when.reshape(-1), minlength=UNIT_BUCKETS)
            s[replicate] = np.bincount(when[happened], minlength=UNIT_BUCKETS)
        tallies.append((n, s))
    (n_a, s_a), (n_b, s_b) = tallies
    for bucket in range(UNIT_BUCKETS):
        yield Counts(n_a[:, bucket], s_a[:, bucket], n_b[:, bucket], s_b[:, bucket])


def _each_visit(rng: Generator, size: Size, icc: float) -> Iterator[Counts]:
    """Yield runs of units that all come back in every bucket."""
    rates_a, rates_b = (rates.astype(np.float32) for rates in _unit_rates(rng, size, icc))
    n_a, n_b = (np.full(size.replicates, units) for units in (UNITS_A, UNITS_B))
    while True:
        s_a, s_b = ((rng.random(rates.shape, np.float32) < rates).sum(axis=1) for rates in (rates_a, rates_b))
        yield Counts(n_a, s_a, n_b, s_b)


def _each_unit(rng: Generator, size: Size, icc: float) -> Iterator[tuple[Integers, Integers]]:
    """Yield how many of a unit's runs had the event, in the one bucket that the unit enters, [replicates, units]."""
    rates_a, rates_b = _unit_rates(rng, size, icc)
    a = np.split(rng.binomial(RUNS_PER_UNIT, rates_a), UNIT_BUCKETS, axis=1)
    b = np.split(rng.binomial(RUNS_PER_UNIT, rates_b), UNIT_BUCKETS, axis=1)
    yield from zip(a, b, strict=True)


def _units_hit(units: Iterator[tuple[Integers, Integers]]) -> Iterator[Counts]:
    for a, b in units:
        count = len(a)
        yield Counts(np.full(count, a.shape[1]), (a > 0).sum(axis=1), np.full(count, b.shape[1]), (b > 0).sum(axis=1))


def _units_mean(units: Iterator[tuple[Integers, Integers]]) -> Iterator[tuple[Integers, Integers]]:
    for a, b in units:
        yield laws.binned(a / RUNS_PER_UNIT), laws.binned(b / RUNS_PER_UNIT)


def _sticky(icc: float) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        hit = _engine_first(_units_hit(_each_unit(rng, size, icc)), UNIT_BUCKETS)
        gains = replicates.mean_gains(_units_mean(_each_unit(rng, size, icc)), (1.0,), (0.0, 1.0))
        levels = replicates.crossings(replicates.evidence(gains, ((0,),)), threshold(ALPHA))
        mean = replicates.first_ticks(levels, UNIT_BUCKETS)[0, 0]
        few = _engine_first(_each_run(rng, size, icc), UNIT_BUCKETS)
        many = _engine_first(_each_visit(rng, size, icc), VISITS)
        bound = size.allowed(ALPHA)
        rows = []
        for counted, first, buckets in (
            (f"{_ONCE}: any of its runs had the event (B)", hit, UNIT_BUCKETS),
            (f"{_ONCE}: the share of its runs (M)", mean, UNIT_BUCKETS),
            (f"each of {RUNS_PER_UNIT} runs of a unit, as if independent (B)", few, UNIT_BUCKETS),
            (f"each of {VISITS} runs of a unit, as if independent (B)", many, VISITS),
        ):
            observed = float((first <= buckets).mean())
            checks = (Check("false rollback", observed, bound),) if counted.startswith(_ONCE) else ()
            rows.append(Row({"icc": icc, "counted": counted, "observed": observed}, checks))
        return rows

    return Case(UNITS, f"icc {icc}", run)


CASES = (
    *(
        case
        for split in (Split(20, 380), Split(20, 20))
        for case in (
            _looks("Newcombe 95 % at every tick", split, _newcombe_first(split), is_engine=False),
            _looks("method B at every tick", split, _method_b_first(split), is_engine=True),
        )
    ),
    _looks("Mann-Whitney 95 % at every tick", Split(1, 1), _rank_first, is_engine=False),
    _drift("stable at 5 %", lambda _: 0.05, None),
    _drift("2 % rising to 8 % over the ramp", lambda done: 0.02 + 0.06 * done, 0.99),
    _drift("8 % falling to 2 % over the ramp", lambda done: 0.08 - 0.06 * done, None),
    _drift("5 %, four times that during the third step", lambda done: 0.2 if 0.5 <= done < 0.75 else 0.05, 0.99),
    _sticky(0.05),
    _sticky(0.2),
)
