# SPDX-License-Identifier: Apache-2.0
"""Exact sums and sums of squares in micro-units come in; intervals for means, in units, go out.

Sums are integers of any width: Python's, or arrays of them (dtype object), or int64. `level` is two-sided.
Spec: ST-13.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.micro import MICRO
from lockgate.core.stats.special import student_quantile


def moments(n: ArrayLike, total: ArrayLike, squares: ArrayLike) -> tuple[Floats, Floats]:
    """Return the mean and its estimated variance, each rounded once from exact integers; no number below 1, 2 runs."""
    runs, added, squared = np.broadcast_arrays(*(np.asarray(part, object) for part in (n, total, squares)))
    at_least_one, at_least_two = np.maximum(runs, 1), np.maximum(runs, 2)
    mean = _quotient(added, at_least_one * MICRO)
    spread = at_least_two * squared - added * added
    variance = _quotient(spread, at_least_two * at_least_two * (at_least_two - 1) * (MICRO * MICRO))
    return np.where(runs >= 1, mean, np.nan), np.where(runs >= 2, variance, np.nan)


def _quotient(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Return quotients of whole numbers, correctly rounded: Python divides integers of any width so."""
    return np.asarray(np.asarray(numerator, object) / np.asarray(denominator, object), np.float64)


def student(n: ArrayLike, total: ArrayLike, squares: ArrayLike, level: float) -> tuple[Floats, Floats, Floats]:
    """Return a mean with Student's limits; infinite ones below two runs."""
    mean, variance = moments(n, total, squares)
    half = _half_width(variance, np.asarray(n, np.float64) - 1.0, level)
    return _around(mean, half)


def welch(  # noqa: PLR0913, PLR0917 -- three sums an arm
    n_a: ArrayLike,
    total_a: ArrayLike,
    squares_a: ArrayLike,
    n_b: ArrayLike,
    total_b: ArrayLike,
    squares_b: ArrayLike,
    level: float,
    ratio: float = 1.0,
) -> tuple[Floats, Floats, Floats]:
    """Return mean_a - ratio * mean_b with Welch's limits (Biometrika 34, 1947); infinite ones below two runs an arm."""
    mean_a, variance_a = moments(n_a, total_a, squares_a)
    mean_b, variance_b = moments(n_b, total_b, squares_b)
    variance_b = variance_b * (ratio * ratio)
    variance = variance_a + variance_b
    # Shares of the variance, so that nothing under- or overflows when squared.
    certain = variance == 0.0
    share_a = np.where(certain, 0.5, variance_a) / np.where(certain, 1.0, variance)
    rest_a, rest_b = (np.maximum(np.asarray(n, np.float64) - 1.0, 1.0) for n in (n_a, n_b))
    freedom = 1.0 / (share_a * share_a / rest_a + (1.0 - share_a) * (1.0 - share_a) / rest_b)
    difference = mean_a - ratio * mean_b
    half = _half_width(variance, freedom, level)
    return _around(difference, half)


def _half_width(variance: Floats, freedom: Floats, level: float) -> Floats:
    known = ~np.isnan(variance)
    t = student_quantile((1.0 + level) / 2.0, np.where(known, np.maximum(freedom, 1.0), 1.0))
    return np.where(known, t * np.sqrt(np.where(known, variance, 0.0)), np.inf)


def _around(value: Floats, half: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the value with its limits, which are infinite also where there is no value."""
    centre = np.where(np.isnan(value), 0.0, value)
    return value[()], (centre - half)[()], (centre + half)[()]
