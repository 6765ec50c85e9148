# SPDX-License-Identifier: Apache-2.0
"""log, log1p, exp and sums: within one unit in the last place of the truth, in the same order always."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import mpmath
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from lockgate.core.stats.elementary import exp, log, log1p, log_sum_exp, total

Floats = NDArray[np.float64]

HALF_LOG_2 = 0.34657359027997264
EDGES = [
    5e-324,
    2.2250738585072009e-308,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    0.6875,
    np.nextafter(0.6875, 0),
    1.375,
    np.nextafter(1.375, 0),
    np.nextafter(1, 0),
    1.0,
    np.nextafter(1, 2),
    1 + 15 / 4096,
    1 + 16 / 4096,
    1 - 15 / 4096,
    1 - 16 / 4096,
    2.0,
    0.5,
    3.0,
    1e22,
    2.718281828459045,
]


def spread(seed: int, size: int) -> Floats:
    """Return positive floats of every magnitude, half of them close to 1."""
    rng = np.random.default_rng(seed)
    close = 1 + rng.choice([-1, 1], size) * 2.0 ** rng.uniform(-53, -1, size)
    return np.concatenate([close, 2.0 ** rng.uniform(-1074, 1023.9, size), rng.uniform(0.6, 1.5, size), EDGES])


def worst_ulp(actual: Floats, truth: Callable[[object], object], at: Floats) -> float:
    """Return the largest error in units of the last place of the true value."""
    worst = mpmath.mpf(0)
    with mpmath.workprec(160):
        for x, y in zip(at.tolist(), actual.tolist(), strict=True):
            true = mpmath.mpf(truth(mpmath.mpf(x)))
            worst = max(worst, abs(mpmath.mpf(y) - true) / mpmath.mpf(float(np.spacing(abs(float(true))))))
    return float(worst)


@pytest.mark.clause("ST-01")
def test_log_is_within_one_ulp_of_the_truth() -> None:
    """Over subnormals, huge values and the neighbourhood of 1, log errs by less than one ulp."""
    x = spread(11, 1500)

    actual = log(x)

    assert worst_ulp(actual, mpmath.log, x) <= 0.6


@pytest.mark.clause("ST-01")
def test_log1p_is_within_one_ulp_of_the_truth() -> None:
    """From -1 to huge values, tiny ones of both signs included, log1p errs by less than one ulp."""
    rng = np.random.default_rng(12)
    tiny = rng.choice([-1, 1], 1500) * 2.0 ** rng.uniform(-1073, -1, 1500)
    near = rng.choice([-1, 1], 1500) * 2.0 ** rng.uniform(-56, -1, 1500)
    x = np.concatenate([spread(12, 500), tiny, near, -1 + 2.0 ** rng.uniform(-53, -1, 500)])

    actual = log1p(x)

    assert worst_ulp(actual, mpmath.log1p, x) <= 0.6


@pytest.mark.clause("ST-01")
def test_exp_is_within_one_ulp_of_the_truth() -> None:
    """Up to overflow and down among the subnormals, exp errs by less than one ulp."""
    rng = np.random.default_rng(13)
    tiny = rng.choice([-1, 1], 1500) * 2.0 ** rng.uniform(-60, -1, 1500)
    x = np.concatenate(
        [
            rng.uniform(-745, 709.78, 1500),
            tiny,
            rng.uniform(-745.1, -700, 1500),
            [709.782712893384, -745.1332191019411, 0.0, HALF_LOG_2, -HALF_LOG_2],
        ]
    )

    actual = exp(x)

    assert worst_ulp(actual, mpmath.exp, x) <= 0.8


SPECIAL = {
    "the log of zero is minus infinity": (log, 0.0, -np.inf),
    "the log of minus zero is minus infinity": (log, -0.0, -np.inf),
    "the log of a negative is no number": (log, -1.0, np.nan),
    "the log of infinity is infinity": (log, np.inf, np.inf),
    "the log of no number is no number": (log, np.nan, np.nan),
    "the log of one is zero": (log, 1.0, 0.0),
    "log1p at minus one is minus infinity": (log1p, -1.0, -np.inf),
    "log1p below minus one is no number": (log1p, -1.5, np.nan),
    "log1p of infinity is infinity": (log1p, np.inf, np.inf),
    "log1p of a tiny value is the value": (log1p, 5e-324, 5e-324),
    "exp of zero is one": (exp, 0.0, 1.0),
    "exp overflows to infinity": (exp, 710.0, np.inf),
    "exp of infinity is infinity": (exp, np.inf, np.inf),
    "exp underflows to zero": (exp, -746.0, 0.0),
    "exp of minus infinity is zero": (exp, -np.inf, 0.0),
    "exp of no number is no number": (exp, np.nan, np.nan),
}


@pytest.mark.parametrize(("function", "at", "expected"), SPECIAL.values(), ids=SPECIAL.keys())
def test_special_values_answer_as_ieee_754_recommends(
    function: Callable[[float], np.float64], at: float, expected: float
) -> None:
    """Zeros, infinities and no-numbers answer as IEEE 754 recommends, without a warning."""
    actual = function(at)

    assert np.array_equal([actual], [expected], equal_nan=True)


def test_special_values_do_not_disturb_their_neighbours() -> None:
    """An array with odd entries gives its ordinary entries the bits that they have alone."""
    x = np.array([0.3, 0.0, 7.0, np.nan, 1e-310, np.inf])

    actual = [log(x), log1p(x), exp(x)]

    assert [[float(values[i]) for i in (0, 2)] for values in actual] == [
        [float(function(0.3)), float(function(7.0))] for function in (log, log1p, exp)
    ]


def test_shapes_are_kept_and_scalars_stay_scalars() -> None:
    """A leading replicate axis, a strided view and a scalar each come back in their own form."""
    table = np.arange(1.0, 25.0).reshape(2, 3, 4)

    actual = log(table[:, ::2, ::-1])

    assert actual.shape == (2, 2, 4)
    assert actual[1, 1, 0] == log(24.0)
    assert isinstance(log(2.0), np.float64)


def test_long_arrays_have_the_bits_of_short_ones() -> None:
    """Working in blocks changes no bit."""
    x = np.random.default_rng(5).uniform(0.01, 9, 10_001)

    actual = log(x)

    assert actual.tobytes() == np.concatenate([log(part) for part in np.split(x, [1, 77, 9000])]).tobytes()


@given(st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=70))
def test_total_is_a_fold_of_halves(values: list[float]) -> None:
    """The sum has exactly the bits of folding the second half onto the first until one is left."""
    folded = list(values)
    while len(folded) > 1:
        half = (len(folded) + 1) // 2
        folded = [a + b for a, b in zip(folded[:half], [*folded[half:], 0.0], strict=False)]

    actual = total(np.array(values))

    assert actual == (folded[0] if folded else 0.0)


def test_total_of_one_row_does_not_depend_on_the_others() -> None:
    """A replicate axis gives each row the bits that it has alone, along any axis."""
    table = np.random.default_rng(6).normal(size=(5, 37))

    actual = total(table.T, axis=0)

    assert actual.tolist() == [float(total(row)) for row in table]


LOG_SUMS = {
    "all at minus infinity": ([-np.inf, -np.inf], -np.inf),
    "one alone": ([-np.inf, 3.0], 3.0),
    "far above overflow": ([1000.0, 1000.0], 1000.0 + 2 * HALF_LOG_2),
    "an infinity wins": ([np.inf, 0.0, -np.inf], np.inf),
}


@pytest.mark.parametrize(("values", "expected"), LOG_SUMS.values(), ids=LOG_SUMS.keys())
def test_log_sum_exp_stays_within_the_range_of_doubles(values: list[float], expected: float) -> None:
    """Sums of exponentials neither overflow nor trip over infinities."""
    actual = log_sum_exp(np.array(values))

    assert actual == expected
