# SPDX-License-Identifier: Apache-2.0
"""Counts over exposures come in; intervals for a rate and for a difference of rates go out.

Arrays broadcast; `level` is two-sided. Counts are taken as Poisson: bursts need a wider interval. Spec: ST-12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.proportion import mover, two_sided_z


def poisson_score(count: ArrayLike, exposure: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Return score limits of a rate: the roots of (x - rate t)^2 = z^2 rate t (Rao's score test inverted)."""
    events, size = np.asarray(count, np.float64), np.asarray(exposure, np.float64)
    z_squared = two_sided_z(level) * two_sided_z(level)
    high = events + 0.5 * z_squared + np.sqrt(z_squared * (events + 0.25 * z_squared))
    # The roots multiply to x^2, which is exactly 0 for no events.
    return (events * events / high / size)[()], (high / size)[()]


def rate_difference(
    count_a: ArrayLike,
    exposure_a: ArrayLike,
    count_b: ArrayLike,
    exposure_b: ArrayLike,
    level: float,
    ratio: float = 1.0,
) -> tuple[Floats, Floats, Floats]:
    """Return rate_a - ratio * rate_b with its limits: score limits combined after Zou and Donner (2008).

    Source of the combination for rates: Li, Tang and Wong, Comput. Stat. 29, 2014, 869.
    """
    rate_a = np.asarray(count_a, np.float64) / np.asarray(exposure_a, np.float64)
    rate_b = np.asarray(count_b, np.float64) / np.asarray(exposure_b, np.float64)
    limits_a, limits_b = poisson_score(count_a, exposure_a, level), poisson_score(count_b, exposure_b, level)
    low, high = mover((rate_a, *limits_a), (rate_b, *limits_b), ratio)
    return (rate_a - ratio * rate_b)[()], low, high
