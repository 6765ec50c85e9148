# SPDX-License-Identifier: Apache-2.0
"""Buckets come in; the confidence sequence must shrink, stay on its grid and hold what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from lockgate.core.stats.sequential import sequence


@pytest.mark.clause("ST-61")
def test_the_grid_lies_strictly_inside_its_reach_and_holds_zero() -> None:
    """Multiples of the step, symmetric."""
    grid = sequence.offsets(0.25)

    assert grid.tolist() == [-0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75]


@pytest.mark.clause("ST-61")
def test_nothing_is_rejected_before_there_is_evidence() -> None:
    """The interval is everything."""
    low, high = sequence.bounds(sequence.begin(sequence.offsets(0.1)), 0.05)

    assert (float(low), float(high)) == (-1.0, 1.0)


@pytest.mark.clause("ST-60", "ST-61")
def test_the_interval_only_shrinks() -> None:
    """What was rejected at any time stays rejected."""
    state, ends = sequence.begin(sequence.offsets(0.05)), []

    for s_a, s_b in [(3, 40), (9, 38), (8, 41), (0, 45), (1, 39), (0, 44)]:
        state = sequence.advance(state, 30, s_a, 400, s_b)
        ends.append(sequence.bounds(state, 0.05))

    lows, highs = np.array(ends).T
    assert (np.diff(lows) >= 0.0).all()
    assert (np.diff(highs) <= 0.0).all()
    assert lows[-1] < highs[-1]


@pytest.mark.clause("ST-60")
def test_the_truth_is_left_out_at_most_as_often_as_promised() -> None:
    """400 seeded replicates of 40 buckets at once: at any time in fewer than 10 % and three standard errors."""
    rng = np.random.default_rng(20261120)
    truth, grid = 0.1, np.array([0.0, 0.1, 0.2])
    state = sequence.begin(grid, (400,))

    for _ in range(40):
        s_a, s_b = rng.binomial(10, 0.2 + truth, 400), rng.binomial(30, 0.2, 400)
        state = sequence.advance(state, 10, s_a, 30, s_b)

    missed = (state.peak[:, :, 1] >= np.log(2.0 / 0.1)).any(axis=-1)
    assert missed.mean() <= 0.1 + 3.0 * np.sqrt(0.1 * 0.9 / 400)
