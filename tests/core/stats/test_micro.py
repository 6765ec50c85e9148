# SPDX-License-Identifier: Apache-2.0
"""Values become whole micro-units at the door, and their sums are exact."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lockgate.core.stats.micro import MAX_ABS, MICRO, from_float, from_text
from tests.tallied import values_of_micro

LIMIT = MAX_ABS * MICRO

TEXTS = {
    "an ordinary price": ("0.0123", 12300),
    "a tie goes to the even neighbour below": ("0.0000125", 12),
    "a tie goes to the even neighbour above": ("0.0000135", 14),
    "just over a tie": ("0.00001250000000000000000000000000000000000001", 13),
    "a negative": ("-3.5", -3_500_000),
    "an exponent": ("12e-3", 12_000),
    "spaces around": (" 7 ", 7_000_000),
    "the largest": ("1000000000000", LIMIT),
    "a far exponent": ("1e-999999", 0),
}


@pytest.mark.clause("ST-03")
@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_text_is_read_exactly(text: str, expected: int) -> None:
    """A decimal text becomes micro-units without passing through a float."""
    assert from_text(text) == expected


REJECTED = [
    "",
    "nan",
    "Infinity",
    "-inf",
    "1_000",
    "0x10",
    "１２",
    "1000000000000.0000001",
    "1e400",
    "1e999999999",
    "ten",
]


@pytest.mark.clause("ST-03")
@pytest.mark.parametrize("text", REJECTED)
def test_text_that_is_no_number_in_range_is_refused(text: str) -> None:
    """No-numbers, infinities, other scripts and numbers beyond a million millions raise ValueError."""
    with pytest.raises(ValueError, match=r"not a finite number|beyond"):
        from_text(text)


@pytest.mark.clause("ST-03")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.0000001e12, -2e12])
def test_floats_out_of_range_are_refused_with_their_place(value: float) -> None:
    """One bad float in an array raises ValueError that says where it is."""
    with pytest.raises(ValueError, match="at 2"):
        from_float([1.0, 2.0, value])


@given(st.integers(-2_000_000_000 * MICRO, 2_000_000_000 * MICRO))
def test_six_decimals_read_alike_as_text_and_as_float(micro: int) -> None:
    """Whether a value of six decimals came as text or as a float makes no difference below 2e9."""
    text = str(Decimal(micro) / MICRO)

    assert (from_text(text), int(from_float(float(text)))) == (micro, micro)


@given(st.decimals(-MAX_ABS, MAX_ABS, allow_nan=False, allow_infinity=False, places=9))
def test_text_rounds_half_to_even(value: Decimal) -> None:
    """Rounding is that of exact decimal arithmetic."""
    expected = int((value * MICRO).to_integral_value(ROUND_HALF_EVEN))

    assert from_text(str(value)) == expected


@pytest.mark.clause("ST-03")
@given(st.lists(st.integers(-LIMIT, LIMIT) | st.integers(-(2**32) - 2, 2**32 + 2) | st.integers(-2000, 2000)))
def test_sums_are_exact(values: list[int]) -> None:
    """Sums and sums of squares equal those of unbounded integers."""
    tally = values_of_micro(values)

    assert (tally.total, tally.squares) == (sum(values), sum(value * value for value in values))


@pytest.mark.parametrize("top", [LIMIT, 2**32 - 1, 2**31, 3_000_000])
def test_sums_of_many_extreme_values_do_not_wrap(top: int) -> None:
    """A hundred thousand values at each limb's limit still add exactly."""
    tally = values_of_micro(np.full(100_000, -top))

    assert (tally.total, tally.squares) == (-100_000 * top, 100_000 * top * top)
