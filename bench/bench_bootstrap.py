# SPDX-License-Identifier: Apache-2.0
"""Two arms of a million values come in; our binned bootstrap beside a plain one goes out, as ratios.

    PYTHONPATH=. python bench/bench_bootstrap.py [--quick]

A plain replicate draws indices with replacement and computes the statistic again; a few are timed and scaled.
Our time starts at the histograms; making them is shown apart, since a bucket holds them already.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bench.rounds import interleaved, milliseconds, write
from lockgate.core.stats.bins import histogram
from lockgate.core.stats.fixed.bootstrap import MEAN, Arm, Resampling, bootstrap_difference
from lockgate.core.stats.micro import from_float

REPLICATES = 1000
PROMISED_RATIO = 400
PROMISED_MS = 60
P95 = Fraction(95, 100)


def plain(values: NDArray[np.float64], rng: np.random.Generator, statistic: str | Fraction) -> float:
    """Return one replicate of one arm."""
    drawn = values[rng.integers(0, values.size, values.size)]
    return float(drawn.mean() if statistic == MEAN else np.quantile(drawn, 0.95))


def compare(statistic: str | Fraction, size: int, rounds: int) -> dict[str, float]:
    """Return the times and the ratio for one statistic."""
    rng = np.random.default_rng(1)
    a, b = rng.lognormal(5.0, 0.6, size), rng.lognormal(5.02, 0.6, size)
    arms = Arm(histogram(from_float(a))), Arm(histogram(from_float(b)))
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: bootstrap_difference(*arms, statistic, 0.95, plan=Resampling(REPLICATES, 1)),
        "plain_replicate": lambda: plain(a, rng, statistic) - plain(b, rng, statistic),
        "binning": lambda: [histogram(from_float(arm)) for arm in (a, b)],
    }
    times = milliseconds(interleaved(calls, rounds))
    _, low, high = bootstrap_difference(*arms, statistic, 0.95, plan=Resampling(REPLICATES, 1))
    return {
        "ours_ms": times["ours"],
        "binning_ms": times["binning"],
        "plain_replicate_ms": times["plain_replicate"],
        "plain_scaled_s": round(REPLICATES * times["plain_replicate"] / 1000, 3),
        "ratio": round(REPLICATES * times["plain_replicate"] / times["ours"], 1),
        "ratio_with_binning": round(REPLICATES * times["plain_replicate"] / (times["ours"] + times["binning"]), 1),
        "low": round(float(low), 6),
        "high": round(float(high), 6),
    }


def main() -> None:
    """Measure both statistics, print a line each, and write bench/results/bootstrap.json."""
    parser = argparse.ArgumentParser(description="Our bootstrap beside a plain one.")
    parser.add_argument("--quick", action="store_true", help="fewer values and rounds; writes nothing")
    quick = parser.parse_args().quick
    size, rounds = (50_000, 3) if quick else (1_000_000, 9)
    cases = {"mean": compare(MEAN, size, rounds), "p95": compare(P95, size, rounds)}
    for name, case in cases.items():
        print(
            f"{name:5} {size:>9,} values an arm, {REPLICATES} replicates: ours {case['ours_ms']:.1f} ms, "
            f"plain {case['plain_scaled_s']:.1f} s, ratio {case['ratio']:.0f} "
            f"(with binning {case['ratio_with_binning']:.0f}; promised: {PROMISED_RATIO}, {PROMISED_MS} ms)"
        )
    if not quick:
        settings = {"values_per_arm": size, "replicates": REPLICATES, "rounds": rounds}
        promised = {"promised_ratio": PROMISED_RATIO, "promised_ms": PROMISED_MS}
        write("bootstrap", {**cases, **settings, **promised})


if __name__ == "__main__":
    main()
