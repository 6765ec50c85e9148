# SPDX-License-Identifier: Apache-2.0
"""Five gates and histories of a thousand to a billion runs come in; the time of one more bucket goes out.

    PYTHONPATH=. python bench/bench_judging.py [--quick]

A look is `fold` (the new bucket into the state) and `judge` (the state into a verdict); `add` keeps the totals shown
beside it. "clean" is the default policy; "proven" has margins too, and so twice the processes.
The peer scans all raw runs at each look with statsmodels and scipy; it stops at a million runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import cycle
from typing import Any

import numpy as np
from numpy.random import Generator

from bench.rounds import interleaved, milliseconds, write
from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.canonical import canonicalize
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Plan, plan
from lockgate.core.evidence.sealed import Arms, SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.intake import WHOLE
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Gate, Margin, default_detect
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.stats import bins
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO
from lockgate.core.verdict.judge import judge

PROMISED_MS = 1.5
PROMISED_FLATNESS = 1.2
PROMISED_GROWTH = 1.2
HISTORY_BUCKETS = 20
HISTORIES = {"1e3": 1_000, "1e6": 1_000_000, "1e9": 1_000_000_000}
PEER_HISTORIES = ("1e3", "1e6")
NEW_RUNS = 400
CANDIDATE_SHARE = 0.05
GATES = ("error_rate", "pass_rate", "scores.groundedness", "latency_ms:p99", "pass_rate:paired")
MARGINS = {"error_rate": Margin(0.0, 0.01), "scores.groundedness": Margin(0.0, 0.02), "latency_ms:p99": Margin(0.1)}


@dataclass(frozen=True, slots=True)
class Law:
    """The probabilities of a field's histogram bins."""

    indices: bins.Integers
    shares: Floats

    def values(self, rng: Generator, runs: int) -> Values:
        """Return the tally of that many runs; its cost does not depend on how many."""
        counts = rng.multinomial(runs, self.shares)
        held = np.flatnonzero(counts)
        pairs = tuple(zip(self.indices[held].tolist(), counts[held].tolist(), strict=True))
        sizes = bins.representative(self.indices[held]).tolist()
        weighted = [(size, count) for size, (_, count) in zip(sizes, pairs, strict=True)]
        total = sum(size * count for size, count in weighted)
        lowest = bins.lower_edge(self.indices[held]).tolist()
        excess = tuple((size - low) * count for (size, count), low in zip(weighted, lowest, strict=True))
        return Values(runs, total, sum(size * size * count for size, count in weighted), pairs, excess)


def law_of(sample: Floats) -> Law:
    """Return the law that a large sample shows."""
    histogram = bins.histogram(np.rint(sample * MICRO).astype(np.int64))
    return Law(histogram.indices, histogram.counts / histogram.counts.sum())


def policy(margins: Mapping[str, Margin]) -> Policy:
    """Return five gates (two shares, a mean, a p99, pairs) over four steps, each also with its default detect."""
    gates = tuple(
        Gate(
            id=name, metric=(metric := parse_metric(name)), share=0.2, min_runs=30,
            detect=default_detect(metric), margin=margins.get(name),
        )
        for name in GATES
    )  # fmt: skip
    steps = tuple(Step(kind=StepKind.WEIGHT, weight=weight, min_runs=30) for weight in (5.0, 25.0, 50.0, 100.0))
    return Policy(gates=gates, steps=steps)


class World:
    """Buckets of runs that follow the same laws in both arms."""

    def __init__(self, seed: int) -> None:
        """Draw the laws' samples once."""
        self.rng = np.random.default_rng(seed)
        self.latency = law_of(200.0 * self.rng.lognormal(0.0, 0.6, 2_000_000))
        self.score = law_of(self.rng.beta(8.0, 2.0, 2_000_000))

    def bucket(self, number: int, runs: int) -> SealedBucket:
        """Return one bucket at the first step."""
        candidate = max(1, round(runs * CANDIDATE_SHARE))
        arms = Arms(self._arm(runs - candidate), self._arm(candidate))
        losses, ties, wins = self.rng.multinomial(max(1, candidate // 2), (0.05, 0.9, 0.05)).tolist()
        pairs = {("pass_rate", WHOLE): Pairs(losses, ties, wins)}
        return SealedBucket(number=number, step=0, arms={WHOLE: arms}, pairs=pairs)

    def _arm(self, runs: int) -> Bucket:
        errors, failures = (int(self.rng.binomial(runs, rate)) for rate in (0.05, 0.1))
        return Bucket(
            runs,
            {"ok": runs - errors, "error": errors},
            {"error_rate": Events(runs, errors), "pass_rate": Events(runs, failures)},
            {
                "scores.groundedness": self.score.values(self.rng, runs),
                "latency_ms": self.latency.values(self.rng, runs),
            },
        )


@dataclass(frozen=True, slots=True)
class History:
    """What was folded before the bucket that is measured."""

    state: EvidenceState
    totals: Totals


def history(world: World, planned: Plan, runs: int) -> History:
    """Return the state after that many runs."""
    past = History(open_state(planned), Totals())
    for number in range(HISTORY_BUCKETS):
        sealed = world.bucket(number, runs // HISTORY_BUCKETS)
        past = History(fold(past.state, sealed, planned), add(past.totals, sealed, planned.policy))
    return past


def looks(planned: Plan, past: History, fresh: list[SealedBucket]) -> dict[str, Callable[[], object]]:
    """Return the measured calls: the fold alone, the whole look at one more sealed bucket, and keeping its totals."""
    folded, judged, added = cycle(fresh), cycle(fresh), cycle(fresh)
    return {
        "fold": lambda: fold(past.state, next(folded), planned),
        "look": lambda: judge(fold(past.state, next(judged), planned), past.totals, planned, 0),
        "add": lambda: add(past.totals, next(added), planned.policy),
    }


def scan(world: World, runs: int) -> Callable[[], object]:
    """Return the peer's look: five usual tests over all raw runs so far."""
    from scipy.stats import binomtest, mannwhitneyu
    from statsmodels.stats.proportion import confint_proportions_2indep

    rng = world.rng
    candidate = round(runs * CANDIDATE_SHARE)
    arms = [
        (
            rng.random(size) < 0.05,
            rng.random(size) < 0.1,
            rng.beta(8.0, 2.0, size),
            200.0 * rng.lognormal(0.0, 0.6, size),
        )
        for size in (candidate, runs - candidate)
    ]
    (errors_a, fails_a, scores_a, times_a), (errors_b, fails_b, scores_b, times_b) = arms
    lost = rng.choice([-1, 0, 1], candidate // 2, p=[0.05, 0.9, 0.05])

    def look() -> object:
        said: list[object] = [
            confint_proportions_2indep(a.sum(), len(a), b.sum(), len(b), method="newcomb", compare="diff")
            for a, b in ((errors_a, errors_b), (fails_a, fails_b))
        ]
        said += [mannwhitneyu(a, b) for a, b in ((scores_a, scores_b), (times_a, times_b))]
        decided = int((lost != 0).sum())
        return [*said, binomtest(int((lost > 0).sum()), max(decided, 1))]

    return look


def state_bytes(world: World, planned: Plan, buckets: int) -> int:
    """Return the size of the stored state after that many buckets."""
    pool = [world.bucket(number, NEW_RUNS) for number in range(200)]
    state = open_state(planned)
    for number in range(buckets):
        state = fold(state, replace(pool[number % len(pool)], number=number), planned)
    return len(canonicalize(state.document()))


def _print(results: dict[str, Any]) -> None:
    times, sizes = results["p50_ms"], results["state_bytes"]
    for runs in HISTORIES:
        scanned = times.get(f"scan_{runs}")
        peer = "" if scanned is None else f"; statsmodels and scipy over all runs {scanned:.2f} ms"
        clean, proven = (f"{rung} {times[f'{rung}_look_{runs}']:.3f} ms" for rung in ("clean", "proven"))
        print(f"after {runs} runs: look {clean}, {proven}{peer}")
    print("state: " + ", ".join(f"{size:,} bytes after {int(buckets):,} buckets" for buckets, size in sizes.items()))
    print(f"promised: {PROMISED_MS} ms, slowest over fastest {PROMISED_FLATNESS}, state growth {PROMISED_GROWTH}")


def _calls(world: World, plans: Mapping[str, Plan]) -> dict[str, Callable[[], object]]:
    """Return every measured call by policy, name and history."""
    fresh = [world.bucket(1_000 + number, NEW_RUNS) for number in range(100)]
    return {
        f"{rung}_{name}_{runs}": call
        for rung, each in plans.items()
        for runs, size in HISTORIES.items()
        for name, call in looks(each, history(world, each, size), fresh).items()
    }


def _spread(times: list[float]) -> float:
    return max(times) / min(times)


def main() -> None:
    """Measure, print a line each, and write bench/results/judging.json."""
    parser = argparse.ArgumentParser(description="One more sealed bucket, whatever came before.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and buckets; writes nothing")
    quick = parser.parse_args().quick
    rounds, many = (30, 200) if quick else (400, 20_000)
    world, plans = World(1), {"clean": plan(policy({})), "proven": plan(policy(MARGINS))}
    planned = plans["proven"]
    calls = _calls(world, plans)
    times = milliseconds(interleaved(calls, rounds))
    scans = {f"scan_{runs}": scan(world, HISTORIES[runs]) for runs in PEER_HISTORIES}
    times |= milliseconds(interleaved(scans, 3 if quick else 7))
    few_bytes, many_bytes = (state_bytes(world, planned, count) for count in (HISTORY_BUCKETS, many))
    flatness = {
        f"{rung}_{name}": round(_spread([times[f"{rung}_{name}_{runs}"] for runs in HISTORIES]), 3)
        for rung in plans
        for name in ("fold", "look")
    }
    results: dict[str, Any] = {
        "gates": len(GATES),
        "processes": {rung: len(each.rows) for rung, each in plans.items()},
        "new_runs": NEW_RUNS,
        "p50_ms": times,
        "slowest_over_fastest": flatness,
        "scan_over_look_1e6": round(times["scan_1e6"] / times["clean_look_1e6"], 1),
        "state_bytes": {str(HISTORY_BUCKETS): few_bytes, str(many): many_bytes},
        "state_growth": round(many_bytes / few_bytes, 3),
        "rounds": rounds,
        "peer": {name: version(name) for name in ("scipy", "statsmodels")},
        "promised_ms": PROMISED_MS,
        "promised_flatness": PROMISED_FLATNESS,
        "promised_state_growth": PROMISED_GROWTH,
    }
    _print(results)
    if not quick:
        write("judging", results)


if __name__ == "__main__":
    main()
