# SPDX-License-Identifier: Apache-2.0
"""Counts of events in one bucket of two arms come in; log evidence that arm a has the higher rate goes out.

Method B: the growth-rate-optimal e-variable of a bucket for each of twelve alternatives.
All arrays broadcast; the alternatives are a new last axis.
It does not keep wealth (wealth.py) and does not choose nulls.
Spec: ST-42 to ST-46.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.elementary import Floats, exp, log
from lockgate.core.stats.sequential.boundary import nearest
from lockgate.core.stats.sequential.null import EDGE, Null

ALTERNATIVES = 12
# Log odds ratios from 0.15 to 2.5 in equal factors.
DELTAS: Floats = 0.15 * exp(log(2.5 / 0.15) * (np.arange(ALTERNATIVES) / (ALTERNATIVES - 1)))
ODDS: Floats = exp(DELTAS)


def plug_in(n: ArrayLike, s: ArrayLike) -> Floats:
    """Return the baseline's rate as its earlier buckets tell it, (s + 1/2) / (n + 1); nan before its first run."""
    trials = np.asarray(n, np.float64)
    return np.where(trials > 0.0, (np.asarray(s, np.float64) + 0.5) / (trials + 1.0), np.nan)


def increments(  # the arms' counts, what was known before, the null
    n_a: ArrayLike, s_a: ArrayLike, n_b: ArrayLike, s_b: ArrayLike, plug_in: ArrayLike, null: Null
) -> Floats:
    """Return the log e-values of one bucket against the null, [..., 12].

    Source: Turner, Ly and Grunwald, JSPI 230 (2024) 106116, section 3, with the margins of Turner and Grunwald,
    Statistics and Probability Letters (2023).
    They are 0 where there is nothing to bet on: no earlier baseline run, an empty arm,
    or a boundary that leaves no rate outside the null.
    """
    trials_a, events_a, trials_b, events_b, rate, ratio, offset = _columns(
        n_a, s_a, n_b, s_b, plug_in, null.ratio, null.offset
    )
    open_ = _has_alternative(trials_a, trials_b, rate, ratio, offset)
    if not open_.all():
        # Any harmless values: what they give is thrown away.
        rate, ratio, offset = np.where(open_, rate, 0.5), np.where(open_, ratio, 1.0), np.where(open_, offset, 0.0)
        trials_a, trials_b = np.where(open_, trials_a, 1.0), np.where(open_, trials_b, 1.0)
    alternative = _alternatives(rate, ratio, offset)
    gain = log(alternative / nearest(trials_a / (trials_a + trials_b), alternative, ratio, offset))
    gain[0, 0] *= events_a
    gain[0, 1] *= events_b
    gain[1, 0] *= trials_a - events_a
    gain[1, 1] *= trials_b - events_b
    arms = gain[0] + gain[1]
    return np.where(open_, arms[0] + arms[1], 0.0)


def mirrored_increments(
    n_a: ArrayLike, s_a: ArrayLike, n_b: ArrayLike, s_b: ArrayLike, plug_in: ArrayLike, null: Null
) -> Floats:
    """Return the log e-values of one bucket against theta_a >= ratio * theta_b + offset, [..., 12]."""
    good_a, good_b = complement(n_a, s_a), complement(n_b, s_b)
    return increments(n_a, good_a, n_b, good_b, 1.0 - np.asarray(plug_in, np.float64), null.mirrored())


def complement(n: ArrayLike, s: ArrayLike) -> NDArray[np.float64]:
    """Return the counts of runs without the event."""
    return np.asarray(n, np.float64) - np.asarray(s, np.float64)


def projection(n_a: ArrayLike, t_a: ArrayLike, n_b: ArrayLike, t_b: ArrayLike, null: Null) -> Floats:
    """Return the q at which (ratio * q + offset, q) is nearest to the alternative (t_a, t_b) outside the null."""
    trials_a, rate_a, trials_b, rate_b, ratio, offset = _columns(n_a, t_a, n_b, t_b, null.ratio, null.offset)
    alternative = np.stack([np.stack([rate_a, rate_b]), np.stack([1.0 - rate_a, 1.0 - rate_b])])
    nearest_q: Floats = nearest(trials_a / (trials_a + trials_b), alternative, ratio, offset)[0, 1, ..., 0]
    return nearest_q


def _columns(*given: ArrayLike) -> Floats:
    """Return the broadcast arrays [given, ..., 1], with an axis for alternatives."""
    arrays = [np.asarray(x, np.float64) for x in given]
    columns = np.empty((len(arrays), *np.broadcast_shapes(*(x.shape for x in arrays)), 1))
    for column, array in zip(columns, arrays, strict=True):
        column[..., 0] = array
    return columns


def _has_alternative(n_a: Floats, n_b: Floats, rate: Floats, ratio: Floats, offset: Floats) -> NDArray[np.bool_]:
    """Say where some rate lies outside the null; clipping the boundary below 1 instead would not be valid."""
    inside = (rate > 0.0) & (rate < 1.0) & (ratio * rate + offset < 1.0 - EDGE) & (ratio + offset > EDGE)
    return inside & (n_a > 0.0) & (n_b > 0.0)


def _alternatives(rate: Floats, ratio: Floats, offset: Floats) -> Floats:
    """Return [[t_a, t_b], [1 - t_a, 1 - t_b]]: the boundary's rate with its odds raised, and the baseline's."""
    bound = np.maximum(ratio * rate + offset, EDGE)
    below = 1.0 - bound
    raised = bound * ODDS
    scale = below + raised
    pairs = np.empty((2, 2, *scale.shape))
    np.divide(raised, scale, out=pairs[0, 0])
    np.divide(below, scale, out=pairs[1, 0])
    pairs[0, 1] = rate
    pairs[1, 1] = 1.0 - rate
    return pairs
