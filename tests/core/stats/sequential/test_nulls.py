# SPDX-License-Identifier: Apache-2.0
"""Nulls at and beyond the edges of what rates can be come in; evidence must stay at 1 or be refuted without data."""

from __future__ import annotations

import numpy as np
import pytest

from lockgate.core.stats.sequential import binary, ceiling, pairs, rate
from lockgate.core.stats.sequential.null import Null

EDGES = {
    "the boundary reaches 1": Null(1.0, 0.96),
    "the boundary passes 1": Null(1.75, 0.95),
    "the boundary touches 1 within 1e-9": Null(1.0, 1.0 - 0.05 - 5e-10),
    "an empty null": Null(1.0, -1.5),
    "a null of one point": Null(1.0, -1.0),
}


@pytest.mark.clause("ST-45")
@pytest.mark.parametrize("null", EDGES.values(), ids=EDGES.keys())
def test_a_boundary_at_the_edge_leaves_nothing_to_bet_on(null: Null) -> None:
    """E is exactly 1, whatever the counts; the boundary is never clipped below 1."""
    gains = binary.increments(20, 20, 380, 0, 0.05, null)

    assert np.array_equal(gains, np.zeros(12))


@pytest.mark.clause("ST-45")
def test_a_boundary_just_inside_the_edge_is_bet_on() -> None:
    """The rule takes away 1e-9 and no more."""
    assert np.all(binary.increments(20, 20, 380, 0, 0.05, Null(1.0, 1.0 - 0.05 - 2e-9)) != 0.0)


@pytest.mark.clause("ST-42", "ST-45")
@pytest.mark.parametrize("counts", [(0, 0, 380, 19), (20, 2, 0, 0), (0, 0, 0, 0)], ids=str)
def test_an_empty_arm_says_nothing(counts: tuple[int, int, int, int]) -> None:
    """A bucket compares two arms."""
    n_a, s_a, n_b, s_b = counts

    assert np.array_equal(binary.increments(n_a, s_a, n_b, s_b, 0.05, Null()), np.zeros(12))


@pytest.mark.clause("ST-42", "ST-45")
def test_nothing_is_bet_before_the_first_baseline_run() -> None:
    """The plug-in of no run is no number, and no number bets nothing."""
    known = binary.plug_in([0, 1, 100], [0, 0, 5])

    gains = binary.increments(20, 5, 380, 19, known, Null())

    assert np.isnan(known[0])
    assert known[1:].tolist() == [0.25, 5.5 / 101.0]
    assert (gains != 0.0).any(axis=-1).tolist() == [False, True, True]


@pytest.mark.clause("ST-40")
def test_mirroring_twice_is_the_null_itself() -> None:
    """theta_a >= 1.75 theta_b + 0.01 says of complements 1 - theta_a <= 1.75 (1 - theta_b) - 0.76."""
    mirrored = Null(1.75, 0.01).mirrored()

    assert mirrored.offset == pytest.approx(-0.76)
    assert mirrored.mirrored().offset == pytest.approx(0.01)


@pytest.mark.clause("ST-46")
def test_the_mirrored_increments_are_those_of_complements() -> None:
    """The promotion twin is method B on runs without the event."""
    twin = binary.mirrored_increments(20, 1, 380, 19, 0.0625, Null(1.75, 0.01))

    assert np.array_equal(twin, binary.increments(20, 19, 380, 361, 0.9375, Null(1.75, 1.0 - 1.75 - 0.01)))


@pytest.mark.clause("ST-50")
def test_no_exposure_says_nothing_about_a_rate() -> None:
    """Events without exposure are no evidence."""
    gains = rate.increments([0.0, 5.0, 0.0], [3, 0, 0], [95.0, 0.0, 0.0], [2, 4, 0])

    assert np.array_equal(gains, np.zeros((3, 12)))


@pytest.mark.clause("ST-50")
def test_the_mirrored_rate_is_the_other_arm_at_the_inverse_ratio() -> None:
    """lambda_a >= 2 lambda_b is lambda_b <= lambda_a / 2."""
    assert np.array_equal(rate.mirrored_increments(5.0, 1, 95.0, 20, 2.0), rate.increments(95.0, 20, 5.0, 1, 0.5))


@pytest.mark.clause("ST-51")
def test_a_ceiling_of_one_cannot_be_broken() -> None:
    """And a ceiling of 0 is broken by one event."""
    gains = ceiling.increments(10, 10, [1.0, 0.0])

    assert np.array_equal(gains[0], np.zeros(12))
    assert gains[1].min() > 1.0


@pytest.mark.clause("ST-52")
def test_a_margin_on_net_losses_beyond_one_is_never_bet_on() -> None:
    """The null holds for every law, or for at most one."""
    assert np.array_equal(pairs.increments(40, 0, 0, [1.0, -1.0, 1.5]), np.zeros((3, 10)))
