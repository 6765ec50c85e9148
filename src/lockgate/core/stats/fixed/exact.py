# SPDX-License-Identifier: Apache-2.0
"""Few events among runs come in; limits that hold whatever the true share go out.

Score limits are too tight on the side of a rare event: the first one of 30 runs already lies above shares at which
it comes as often as one time in six. Where counts are small these limits stand beside them. Spec: CO-08.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.proportion import wilson
from lockgate.core.stats.special import binomial_tail

# From here on the step from score limits to exact ones is less than one event.
MANY = 1000
# A grid of 33 points per pass narrows the limit to 33^-11 of its first width, below one last bit.
_POINTS = 32
_PASSES = 11


@lru_cache(maxsize=4096)
def exact_limits(events: int, n: int, level: float) -> tuple[float, float]:
    """Return Clopper and Pearson's limits of a share (Biometrika 26, 1934); Wilson's from 1000 of either kind on."""
    if min(events, n - events) >= MANY:
        low, high = wilson(events, n, level)
        return float(low), float(high)
    tail = (1.0 - level) / 2.0
    return _lower(events, n, tail), 1.0 - _lower(n - events, n, tail)


def poisson_excess(events: int, mean: float) -> float:
    """Return P(X >= events) for X Poisson: a binomial of 2^40 trials differs by less than mean^2 / 2^40."""
    trials = float(1 << 40)
    return float(binomial_tail(events, trials, mean / trials))


def _lower(events: int, n: int, tail: float) -> float:
    """Return the share at which as many events or more have the probability `tail`."""
    if events == 0:
        return 0.0
    low, high = 0.0, events / n
    for _ in range(_PASSES):
        points: Floats = low + (high - low) * (np.arange(1, _POINTS + 1) / (_POINTS + 1.0))
        beyond = int((binomial_tail(events, n, points) < tail).sum(dtype=np.int64))
        low, high = (
            float(points[beyond - 1]) if beyond > 0 else low,
            float(points[beyond]) if beyond < _POINTS else high,
        )
    return low
