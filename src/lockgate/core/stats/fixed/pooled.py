# SPDX-License-Identifier: Apache-2.0
"""Sums of two arms that may be alike come in; the lower limit of their difference with one variance for both goes out.

Welch's interval takes each arm's variance from its own runs. A small arm of a skewed value that happens to miss the
long tail has too low a mean and too low a variance at once, so two equal arms look different far too often.
With one variance, mostly the larger arm's, they do not. Spec: CO-08.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.fixed.mean import moments
from lockgate.core.stats.special import student_quantile

Sums = tuple[ArrayLike, ArrayLike, ArrayLike]


def pooled_low(a: Sums, b: Sums, level: float, ratio: float = 1.0) -> Floats:
    """Return the lower limit of mean_a - ratio * mean_b by Student's two-sample t (Biometrika 6, 1908).

    Each arm is its runs, sum and sum of squares in micro-units, as in `mean.welch`; -inf below two runs an arm.
    """
    n_a, n_b = (np.asarray(part[0], np.float64) for part in (a, b))
    (mean_a, error_a), (mean_b, error_b) = moments(*a), moments(*b)
    # `moments` gives the variance of a mean: that of one run is n times it.
    squares_a, squares_b = (n_a - 1.0) * n_a * error_a, (n_b - 1.0) * n_b * error_b
    freedom = np.maximum(n_a + n_b - 2.0, 1.0)
    variance = (squares_a + (ratio * ratio) * squares_b) / freedom
    half = student_quantile((1.0 + level) / 2.0, freedom) * np.sqrt(variance * (1.0 / n_a + 1.0 / n_b))
    low = mean_a - ratio * mean_b - half
    return np.where(np.isnan(low), -np.inf, low)[()]
