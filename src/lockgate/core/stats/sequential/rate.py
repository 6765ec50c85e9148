# SPDX-License-Identifier: Apache-2.0
"""Counts of events and exposures of one bucket come in; log evidence that arm a has the higher rate goes out.

Method R: given the total, the events of arm a are binomial with the share of its exposure.
Also valid for events of independent runs (exposure = runs) and totals of values in [0, 1]; weaker there than method B.
Not valid for counts that come in bursts.
Spec: ST-50.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log1p
from lockgate.core.stats.sequential.binary import DELTAS, ODDS


def increments(
    exposure_a: ArrayLike, events_a: ArrayLike, exposure_b: ArrayLike, events_b: ArrayLike, ratio: ArrayLike = 1.0
) -> Floats:
    """Return the log e-values of one bucket against lambda_a <= ratio * lambda_b, [..., 12].

    Source: Lindon and Malek, NeurIPS 2022, arXiv 2011.03567, with a mixture over log rate ratios.
    They are 0 where an arm has no exposure.
    """
    given = (exposure_a, events_a, exposure_b, events_b, ratio)
    time_a, count_a, time_b, count_b, factor = (np.asarray(x, np.float64)[..., None] for x in given)
    open_ = (time_a > 0.0) & (time_b > 0.0)
    scaled = factor * np.where(open_, time_a, 1.0)
    share = scaled / (scaled + np.where(open_, time_b, 1.0))
    gains = count_a * DELTAS - (count_a + count_b) * log1p(share * (ODDS - 1.0))
    return np.where(open_, gains, 0.0)


def mirrored_increments(
    exposure_a: ArrayLike, events_a: ArrayLike, exposure_b: ArrayLike, events_b: ArrayLike, ratio: ArrayLike = 1.0
) -> Floats:
    """Return the log e-values of one bucket against lambda_a >= ratio * lambda_b, [..., 12]."""
    return increments(exposure_b, events_b, exposure_a, events_a, 1.0 / np.asarray(ratio, np.float64))
