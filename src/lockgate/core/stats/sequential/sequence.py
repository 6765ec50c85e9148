# SPDX-License-Identifier: Apache-2.0
"""Counts of events by bucket come in; a confidence sequence for theta_a - theta_b goes out.

For display: the differences on a grid that method B has not rejected, at any time so far.
Half of alpha goes to each side.
Spec: ST-60, ST-61.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lockgate.core.stats.elementary import Floats, log
from lockgate.core.stats.sequential.binary import ALTERNATIVES, increments, mirrored_increments, plug_in
from lockgate.core.stats.sequential.null import Null
from lockgate.core.stats.sequential.wealth import grow, log_evidence

_ONE_COPY = np.ones(1)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The fold's state: a rising grid of differences, the baseline so far, wealth and its peak for both sides."""

    grid: Floats
    runs_b: Floats
    events_b: Floats
    log_wealth: Floats
    peak: Floats


def offsets(step: float = 0.0025, reach: float = 1.0) -> Floats:
    """Return the grid of multiples of `step` strictly between -reach and reach."""
    last = int(np.ceil(reach / step - 1e-9)) - 1
    return np.arange(-last, last + 1, dtype=np.float64) * np.float64(step)


def begin(grid: Floats, leading: tuple[int, ...] = ()) -> Sequence:
    """Return the state before the first bucket, for any leading axes of replicates."""
    shape = (*leading, 2, len(grid))
    none = np.zeros(leading)
    return Sequence(grid, none, none, np.zeros((*shape, 1, ALTERNATIVES)), np.zeros(shape))


def advance(state: Sequence, n_a: ArrayLike, s_a: ArrayLike, n_b: ArrayLike, s_b: ArrayLike) -> Sequence:
    """Return the state after one more bucket, at a cost that does not depend on its counts."""
    trials_a, hits_a, trials_b, hits_b = (np.asarray(x, np.float64)[..., None] for x in (n_a, s_a, n_b, s_b))
    rate, null = plug_in(state.runs_b, state.events_b)[..., None], Null(1.0, state.grid)
    worse = increments(trials_a, hits_a, trials_b, hits_b, rate, null)
    better = mirrored_increments(trials_a, hits_a, trials_b, hits_b, rate, null)
    wealth = grow(state.log_wealth, np.stack([worse, better], axis=-3), np.True_)
    peak = np.maximum(state.peak, log_evidence(wealth, _ONE_COPY))
    return Sequence(state.grid, state.runs_b + trials_b[..., 0], state.events_b + hits_b[..., 0], wealth, peak)


def bounds(state: Sequence, alpha: float) -> tuple[Floats, Floats]:
    """Return the ends of the interval, on the grid: the outermost differences that are rejected; -1 and 1 if none.

    Source: inversion as in Turner and Grunwald, Statistics and Probability Letters (2023), arXiv 2203.09785.
    """
    rejected = state.peak >= -log(alpha / 2.0)
    below, above = _leading(rejected[..., 0, :]), _leading(rejected[..., 1, ::-1])
    edges = np.concatenate([[-1.0], state.grid, [1.0]])
    return edges[below], edges[len(edges) - 1 - above]


def confidence_sequence(buckets: ArrayLike, alpha: float, grid: Floats) -> tuple[Floats, Floats]:
    """Return the interval after rows of (n_a, s_a, n_b, s_b)."""
    state = begin(grid)
    for n_a, s_a, n_b, s_b in np.asarray(buckets, np.float64):
        state = advance(state, n_a, s_a, n_b, s_b)
    return bounds(state, alpha)


def _leading(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many flags at the start are set: a hole further in ends them, which only widens the interval."""
    return np.asarray(np.where(flags.all(axis=-1), flags.shape[-1], np.argmin(flags, axis=-1)), np.int64)
