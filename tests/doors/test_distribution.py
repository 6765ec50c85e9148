# SPDX-License-Identifier: Apache-2.0
"""Tallied values come in; the outlines of two releases must be true to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.bucket import Values
from lockgate.report.distribution import is_yes_or_no, spread_of
from tests.tallied import values_of


def tallied(*numbers: float) -> Values:
    """Return the tally of some numbers."""
    return values_of(numbers)


VALUES = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=50)


@given(VALUES, VALUES)
def test_an_outline_holds_nearly_all_of_its_release(before: list[float], after: list[float]) -> None:
    """The cells' shares add to one but for what is trimmed at either end, and every tick is on the axis."""
    spread = spread_of(tallied(*before), tallied(*after))

    if spread is not None:
        assert sum(spread.baseline) == pytest.approx(1.0)
        assert sum(spread.candidate) == pytest.approx(1.0)
        assert all(0 <= tick.at <= 1 for tick in spread.ticks)


def test_values_over_more_than_a_factor_of_ten_get_a_logarithmic_axis() -> None:
    """1 to 1,000 is drawn by ratio: 30 stands in the middle."""
    spread = spread_of(tallied(*(1.2**step for step in range(39))), tallied(1.0, 1000.0))

    assert spread is not None
    assert spread.is_log
    assert spread.place(31.0) == pytest.approx(0.5, abs=0.03)


def test_values_around_zero_get_an_even_axis() -> None:
    """A ratio means nothing where values are negative."""
    spread = spread_of(tallied(-5.0, 0.0, 5.0), tallied(-5.0, 5.0))

    assert spread is not None
    assert not spread.is_log
    assert spread.place(0.0) == pytest.approx(0.5, abs=0.02)


def test_percentiles_are_those_of_the_values() -> None:
    """The table beside a drawing holds order statistics, within the bins' one percent."""
    spread = spread_of(tallied(*range(1, 101)), tallied(*range(2, 202, 2)))

    assert spread is not None
    assert {percent: (before, after) for percent, before, after in spread.percentiles}[95] == pytest.approx(
        (95.0, 190.0), rel=0.01
    )


@pytest.mark.parametrize(("values", "expected"), [((0.0, 1.0, 1.0), True), ((0.0, 0.5), False), ((), True)])
def test_yes_or_no_is_told_from_numbers(values: tuple[float, ...], expected: bool) -> None:
    """A share says more of them than a drawing."""
    assert is_yes_or_no(tallied(*values) if values else Values()) is expected


def test_what_is_missing_or_all_the_same_is_not_drawn() -> None:
    """An empty arm, or one single value, has no distribution to look at."""
    assert spread_of(Values(), tallied(1.0)) is None
    assert spread_of(tallied(3.0, 3.0), tallied(3.0)) is None
