# SPDX-License-Identifier: Apache-2.0
"""The same kind of data come in; where rules that read a fixed-sample interval at every tick roll back goes out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.random import Generator

from bench.calibration.laws import Counts, Integers
from bench.calibration.replicates import Flags
from lockgate.core.stats.fixed.proportion import newcombe

LEVEL = 0.95
_Z = 1.959963984540054


def pooled_newcombe(draws: Iterable[Counts]) -> Iterator[Flags]:
    """Yield at each tick where Newcombe's interval over all runs so far lies wholly on the worse side."""
    seen: Integers | int = 0
    for now in draws:
        seen = seen + np.stack([now.s_a, now.n_a, now.s_b, now.n_b])
        s_a, n_a, s_b, n_b = seen
        _, low, _ = newcombe(s_a, n_a, s_b, n_b, LEVEL)
        yield np.asarray(low > 0.0)


def mann_whitney(rng: Generator, replicates: int, ticks: int) -> Iterator[Flags]:
    """Yield at each tick, with one more run in each arm, where the rank test says that the candidate is slower.

    Both arms have the same continuous law, so any will do; the normal approximation with continuity correction is
    the usual one.
    """
    a, b = rng.random((2, replicates, ticks))
    above = np.zeros(replicates, np.int64)
    for tick in range(ticks):
        above += (a[:, tick, None] > b[:, : tick + 1]).sum(axis=-1)
        above += (a[:, :tick] > b[:, tick, None]).sum(axis=-1)
        n = tick + 1
        spread = math.sqrt(n * n * (2 * n + 1) / 12.0)
        yield (above - n * n / 2.0 - 0.5) / spread > _Z


def fixed_sample_size(difference: float, variance_a: float, variance_b: float, baseline_per_candidate: float) -> float:
    """Return the candidate runs at which one look at one-sided 5 % has a power of 80 %."""
    z = 1.6448536269514722 + 0.8416212335729143
    return float(math.ceil(z * z * (variance_a + variance_b / baseline_per_candidate) / (difference * difference)))
