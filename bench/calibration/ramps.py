# SPDX-License-Identifier: Apache-2.0
"""Whole rollouts under both promotion rules and under the plain rule come in; how they end goes out."""

from __future__ import annotations

from collections.abc import Callable

from numpy.random import Generator

from bench.calibration.rollouts import Ends, World, engine, plain_rule, policy
from bench.calibration.row import ALPHA, Case, Check, Row, Size
from lockgate.core.policy.gate import Margin
from lockgate.core.policy.policy import Promote

SECTION = "rollouts"
Play = Callable[[Generator, World, int], Ends]
DRIFT = 0.3
MEDIAN_RUNS = 650.0
PROMOTED_AT_LEAST = 0.92


def _case(rule: str, world: World, play: Play, bounds: Callable[[Ends, Size], tuple[Check, ...]]) -> Case:
    def run(rng: Generator, size: Size) -> list[Row]:
        ends = play(rng, world, size.replicates)
        return [
            Row(
                {
                    "rule": rule,
                    "runs": world.runs,
                    "baseline": world.base,
                    "candidate": round(world.base + world.harm, 9),
                    "rollback": ends.share(-1),
                    "full": ends.share(1),
                    "runs_to_full": ends.median_runs(1),
                    "runs_to_rollback": ends.median_runs(-1),
                },
                bounds(ends, size),
            )
        ]

    return Case(SECTION, f"{rule} {world.runs} {world.base:g} +{world.harm:g}", run)


def _nothing(_: Ends, __: Size) -> tuple[Check, ...]:
    return ()


def _never_full(ends: Ends, size: Size) -> tuple[Check, ...]:
    return (Check("full exposure", ends.share(1), size.allowed(ALPHA)),)


def _no_harm(ends: Ends, size: Size) -> tuple[Check, ...]:
    least = 1.0 - size.allowed(1.0 - PROMOTED_AT_LEAST)
    return (
        Check("false rollback", ends.share(-1), size.above(ALPHA)),
        Check("full exposure", ends.share(1), least, at_most=False),
    )


def _no_harm_quickly(ends: Ends, size: Size) -> tuple[Check, ...]:
    runs = ends.median_runs(1)
    return (*_no_harm(ends, size), Check("median candidate runs", MEDIAN_RUNS if runs is None else runs, MEDIAN_RUNS))


def _clean(runs: int, base: float, candidate: float, bounds: Callable[[Ends, Size], tuple[Check, ...]]) -> Case:
    def play(rng: Generator, world: World, count: int) -> Ends:
        return engine(rng, world, policy(Promote.CLEAN), count)

    return _case("clean", World(runs, base, candidate - base), play, bounds)


def _proven(world: tuple[int, float, float], budget: float, bounds: Callable[[Ends, Size], tuple[Check, ...]]) -> Case:
    def play(rng: Generator, world: World, count: int) -> Ends:
        return engine(rng, world, policy(Promote.PROVEN, Margin(0.0, budget)), count)

    return _case(f"proven, budget {100 * budget:g} pp", World(*world, DRIFT), play, bounds)


def _plain(runs: int, base: float, candidate: float) -> Case:
    return _case("plain", World(runs, base, candidate - base), plain_rule, _nothing)


CASES = (
    _clean(400, 0.05, 0.05, _no_harm_quickly),
    _clean(400, 0.05, 0.06, _nothing),
    _clean(400, 0.05, 0.075, _nothing),
    _clean(400, 0.05, 0.10, _never_full),
    _clean(400, 0.01, 0.01, _no_harm),
    _clean(400, 0.01, 0.03, _never_full),
    _clean(400, 0.10, 0.20, _never_full),
    _clean(40, 0.05, 0.05, _no_harm_quickly),
    _clean(40, 0.05, 0.10, _never_full),
    _clean(40, 0.01, 0.01, _no_harm),
    _clean(40, 0.10, 0.20, _never_full),
    *(_plain(400, 0.05, candidate) for candidate in (0.05, 0.06, 0.075, 0.10)),
    *(_plain(40, 0.10, candidate) for candidate in (0.10, 0.15, 0.20)),
    _proven((400, 0.05, 0.0), 0.01, _no_harm),
    _proven((400, 0.05, 0.01), 0.01, _never_full),
    _proven((400, 0.05, 0.025), 0.01, _never_full),
    _proven((400, 0.05, 0.05), 0.01, _never_full),
    _proven((4000, 0.05, 0.0), 0.01, _no_harm),
    _proven((4000, 0.05, 0.01), 0.01, _never_full),
    _proven((40, 0.10, 0.0), 0.05, _no_harm),
    _proven((40, 0.10, 0.05), 0.05, _never_full),
    _proven((40, 0.10, 0.10), 0.05, _never_full),
    _proven((40, 0.10, 0.20), 0.05, _never_full),
)
