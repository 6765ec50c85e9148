# SPDX-License-Identifier: Apache-2.0
"""Histograms of two arms come in; counts of runs beyond a threshold that the baseline sets beforehand go out.

Method Q: the counts are a bucket for method B, with the share of the baseline that exceeded its threshold so far as
plug-in and Null(): the margin is in the thresholds.
A threshold is a bin index; the bins above it exceed it. Counts may have leading axes of replicates.
Where smaller is worse, mirror the values' signs and use 1 - p.
Spec: ST-58, ST-59.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.bins import Histogram, index_of, upper_edge
from lockgate.core.stats.micro import MAX_ABS, MICRO

Integers = NDArray[np.int64]
WARM_UP_RUNS = 100
_FURTHEST = MAX_ABS * MICRO


def threshold(baseline: Histogram, p: float) -> Integers:
    """Return the threshold that, by ratio, nearest to 1 - p of the earlier baseline buckets exceed, [...].

    Any threshold is valid that earlier buckets fix.
    It is the upper or the lower edge of the bin that holds the p-quantile, and some run always exceeds it: where many
    share that bin, as at a time-out, nothing may lie above it, and there would be no evidence of anything.
    """
    counts = baseline.counts.reshape(-1, baseline.counts.shape[-1])
    cumulated = counts.cumsum(axis=-1, dtype=np.int64)
    runs = cumulated[:, -1]
    place = np.argmax(cumulated >= runs[:, None] * p, axis=-1)
    rows = np.arange(place.size)
    upto = cumulated[rows, place]
    below = upto - counts[rows, place]
    held = baseline.indices[place]
    above, within = (runs - upto).astype(np.float64), (runs - below).astype(np.float64)
    aim = runs * (1.0 - p)
    lower_is_nearer = above * within < aim * aim
    nearest: Integers = np.where(lower_is_nearer, held - 1, held).reshape(baseline.counts.shape[:-1])
    return nearest


def harm_threshold(index: ArrayLike, ratio: ArrayLike = 1.0, offset_micro: ArrayLike = 0) -> Integers:
    """Return the candidate's threshold for evidence of harm: the moved edge, rounded up to a bin's edge.

    Fewer candidate runs exceed it than the moved edge, so the null "no more of them than baseline runs exceed the
    baseline's" contains the declared one.
    """
    return candidate_thresholds(index, ratio, offset_micro, is_harm=True)


def mirrored_threshold(index: ArrayLike, ratio: ArrayLike = 1.0, offset_micro: ArrayLike = 0) -> Integers:
    """Return the candidate's threshold for the promotion twin: the moved edge, rounded down to a bin's edge."""
    return candidate_thresholds(index, ratio, offset_micro, is_harm=False)


def candidate_thresholds(
    index: ArrayLike, ratio: ArrayLike, offset_micro: ArrayLike, *, is_harm: bool | NDArray[np.bool_]
) -> Integers:
    """Return either threshold, by row."""
    up = np.asarray(is_harm).astype(np.int64)
    return index_of(_moved_edge(index, ratio, offset_micro) - up).astype(np.int64) - (1 - up)


def exceedances(histogram: Histogram, index: ArrayLike) -> tuple[Integers, Integers]:
    """Return the runs and the runs in bins above the threshold, [...]."""
    beyond = histogram.indices > np.asarray(index, np.int64)[..., None]
    exceeding = np.asarray(np.where(beyond, histogram.counts, 0).sum(axis=-1, dtype=np.int64))
    runs = np.asarray(histogram.counts.sum(axis=-1, dtype=np.int64))
    return np.broadcast_to(runs, exceeding.shape), exceeding


def _moved_edge(index: ArrayLike, ratio: ArrayLike, offset_micro: ArrayLike) -> Integers:
    """Return the bin's upper edge moved by (ratio - 1) of its size and by the offset, up to a whole micro-unit.

    Values are whole micro-units, so rounding this up changes no count.
    """
    edge = upper_edge(index)
    moved = (np.asarray(ratio, np.float64) - 1.0) * np.abs(edge) + np.asarray(offset_micro, np.float64)
    steps = np.ceil(np.minimum(np.maximum(moved, -2.0 * _FURTHEST), 2.0 * _FURTHEST)).astype(np.int64)
    within: Integers = np.minimum(np.maximum(edge + steps, 1 - _FURTHEST), _FURTHEST)
    return within
