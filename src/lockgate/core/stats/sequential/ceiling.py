# SPDX-License-Identifier: Apache-2.0
"""Counts of events of one bucket come in; log evidence that their rate breaks a fixed limit goes out.

Method A: a binomial likelihood ratio against the limit for each of twelve alternatives.
Spec: ST-51.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lockgate.core.stats.elementary import Floats, log1p
from lockgate.core.stats.sequential.binary import DELTAS, ODDS, complement
from lockgate.core.stats.sequential.null import EDGE


def increments(n: ArrayLike, s: ArrayLike, limit: ArrayLike) -> Floats:
    """Return the log e-values of one bucket against theta <= limit, [..., 12].

    Source: the simple likelihood ratio at the null's boundary (Wald 1945; Robbins 1970 for its mixture).
    A limit below 1e-9 is read as 1e-9, which enlarges the null; at a limit of 1 they are 0.
    """
    trials, events, ceiling = (np.asarray(x, np.float64)[..., None] for x in (n, s, limit))
    open_ = ceiling < 1.0 - EDGE
    bound = np.maximum(np.where(open_, ceiling, 0.5), EDGE)
    gains = events * DELTAS - trials * log1p(bound * (ODDS - 1.0))
    return np.where(open_, gains, 0.0)


def mirrored_increments(n: ArrayLike, s: ArrayLike, limit: ArrayLike) -> Floats:
    """Return the log e-values of one bucket against theta >= limit, [..., 12]."""
    return increments(n, complement(n, s), 1.0 - np.asarray(limit, np.float64))
