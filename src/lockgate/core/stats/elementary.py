# SPDX-License-Identifier: Apache-2.0
"""Floats come in; logarithms, exponentials and sums that have the same bits on every machine go out.

Only + - * / in a fixed order and exact integer steps are used, on tables that integer arithmetic builds.
Every value is within one unit in the last place of the true one.
The table methods follow Tang, "Table-driven implementation of the logarithm", ACM TOMS 16(4), 1990, and its
companion on the exponential, TOMS 15(2), 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import overload

import numpy as np
from numpy.typing import NDArray

from lockgate.core.stats.elementary_tables import (
    EXP_SCALE,
    EXP_STEP_PARTS,
    EXP_STEPS,
    LN2_PARTS,
    LOG_CELL_BITS,
    LOG_OFFSET,
    exp_table,
    log_table,
)

Floats = NDArray[np.float64]

# Arrays are worked through in slices that stay in a processor's cache.
_BLOCK = 1 << 12
_EXPONENT_BITS = np.int64(-1) << np.int64(52)
_SMALLEST_NORMAL = 0x0010000000000000
_INFINITY_BITS = 0x7FF0000000000000

_LOG_CENTRE, _LOG_HEAD, _LOG_TAIL = log_table()
_LN2_HEAD, _LN2_TAIL = LN2_PARTS
_EXP_POWER, _EXP_POWER_TAIL = exp_table()
_EXP_HEAD, _EXP_TAIL = EXP_STEP_PARTS
_EXP_SAFE = 700.0
_EXP_LOW, _EXP_HIGH = -746.0, 710.0


@overload
def log(x: float | np.float64) -> np.float64: ...
@overload
def log(x: Floats) -> Floats: ...
def log(x: float | Floats) -> np.float64 | Floats:
    """Return the natural logarithm: -inf at 0, nan below."""
    return _mapped(_log_block, x)


@overload
def log1p(x: float | np.float64) -> np.float64: ...
@overload
def log1p(x: Floats) -> Floats: ...
def log1p(x: float | Floats) -> np.float64 | Floats:
    """Return log(1 + x), exact in relative terms also near 0: -inf at -1, nan below."""
    return _mapped(_log1p_block, x)


@overload
def exp(x: float | np.float64) -> np.float64: ...
@overload
def exp(x: Floats) -> Floats: ...
def exp(x: float | Floats) -> np.float64 | Floats:
    """Return e to the power x: inf above 709.78, subnormal and then 0 below -708.4."""
    return _mapped(_exp_block, x)


def _mapped(block: Callable[[Floats], Floats], x: float | Floats) -> np.float64 | Floats:
    values = np.asarray(x, np.float64)
    flat = np.ascontiguousarray(values).reshape(-1)
    if flat.size <= _BLOCK:
        result = block(flat)
    else:
        result = np.empty_like(flat)
        for start in range(0, flat.size, _BLOCK):
            result[start : start + _BLOCK] = block(flat[start : start + _BLOCK])
    if values.ndim == 0:
        return np.float64(result[0])
    return result.reshape(values.shape)


def _log_block(x: Floats) -> Floats:
    bits = x.view(np.int64)
    # As unsigned numbers everything but positive normal floats lies at or above the span.
    odd = (bits - _SMALLEST_NORMAL).view(np.uint64) >= np.uint64(_INFINITY_BITS - _SMALLEST_NORMAL)
    if not odd.any():
        return _log_normal(bits, None)
    special = (x <= 0.0) | ~(x < np.inf)
    tiny = odd & ~special
    normal = np.where(tiny, np.where(tiny, x, 1.0) * float(1 << 54), np.where(special, 1.0, x))
    result = _log_normal(normal.view(np.int64), None, np.where(tiny, -54.0, 0.0))
    result[special] = np.where(x == 0.0, -np.inf, np.where(x > 0.0, x, np.nan))[special]
    return result


def _log1p_block(x: Floats) -> Floats:
    special = ~((x > -1.0) & (x < np.inf))
    if special.any():
        result = _log1p_block(np.where(special, 0.0, x))
        result[special] = np.where(x == -1.0, -np.inf, np.where(x > 0.0, x, np.nan))[special]
        return result
    s = x + 1.0
    virtual = s - 1.0
    rest = (x - virtual) + (1.0 - (s - virtual))
    return _log_normal(s.view(np.int64), rest)


def _log_normal(bits: NDArray[np.int64], rest: Floats | None, shift: Floats | None = None) -> Floats:
    """Return log((s + rest) 2^shift) for positive normal s given by its bits."""
    offset = bits - LOG_OFFSET
    exponent = offset >> 52
    significand = offset & _EXPONENT_BITS
    np.subtract(bits, significand, out=significand)
    cell = np.right_shift(offset, 52 - LOG_CELL_BITS, out=offset)
    cell &= (1 << LOG_CELL_BITS) - 1
    centre = _LOG_CENTRE.take(cell)
    f = significand.view(np.float64)
    f -= centre
    if rest is not None:
        # Beyond 2^1000 the rest of 1 + x is far below the last place.
        f += rest * ((1023 - np.minimum(exponent, 1000)) << 52).view(np.float64)
    f /= centre
    k = exponent.astype(np.float64)
    if shift is not None:
        k += shift
    head = k * _LN2_HEAD
    head += _LOG_HEAD.take(cell)
    k *= _LN2_TAIL
    k += _LOG_TAIL.take(cell)
    k += _log_bend(f)
    result = head + f
    head -= result
    head += f
    k += head
    result += k
    return result


def _log_bend(f: Floats) -> Floats:
    """Return log(1 + f) - f for |f| < 2^-7.8; the first term left out is below 2^-57 of f."""
    p = f * (1.0 / 7.0)
    for coefficient in (-1.0 / 6.0, 1.0 / 5.0, -1.0 / 4.0, 1.0 / 3.0, -1.0 / 2.0):
        p += coefficient
        p *= f
    p *= f
    return p


def _exp_block(x: Floats) -> Floats:
    if (np.abs(x) <= _EXP_SAFE).all():
        power, exponent = _exp_reduced(x)
        power *= ((exponent + 1023) << 52).view(np.float64)
        return power
    number = x == x  # noqa: PLR0124 -- false for nan alone
    power, exponent = _exp_reduced(np.where(number, np.minimum(np.maximum(x, _EXP_LOW), _EXP_HIGH), 0.0))
    # In two exact factors, so that the only rounding is the last one, also among subnormals.
    half = exponent >> 1
    power *= ((half + 1023) << 52).view(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        power *= ((exponent - half + 1023) << 52).view(np.float64)
    power[~number] = np.nan
    return power


def _exp_reduced(x: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return e^x as a factor in [0.99, 2.01) and a power of two."""
    step = np.rint(x * EXP_SCALE)
    r = x - step * _EXP_HEAD
    r -= step * _EXP_TAIL
    index = step.astype(np.int64)
    cell = index & (EXP_STEPS - 1)
    # e^r - 1 for |r| < 2^-9.5; the term of order 6 is below 2^-66.
    p = r * (1.0 / 120.0)
    for coefficient in (1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0):
        p += coefficient
        p *= r
    power = _EXP_POWER.take(cell)
    p *= power
    p += _EXP_POWER_TAIL.take(cell)
    power += p
    return power, index >> 8


def total(x: Floats, axis: int = -1) -> Floats:
    """Return the sum along an axis, always added in the same order: halves folded onto each other."""
    values = _last(x, axis)
    size = values.shape[-1]
    if size == 0:
        return np.zeros(values.shape[:-1])
    half = (size + 1) // 2
    folded = values[..., :half].copy()
    folded[..., : size - half] += values[..., half:]
    while half > 1:
        size, half = half, (half + 1) // 2
        folded[..., : size - half] += folded[..., half:size]
    result: Floats = folded[..., 0].copy()
    return result[()]


# e to this power changes no sum that holds a 1, and is far from where exp needs care.
_NEGLIGIBLE = -700.0


def log_sum_exp(x: Floats, axis: int = -1) -> Floats:
    """Return log of the sum of e^x along an axis; -inf where all are -inf."""
    values = _last(x, axis)
    top = values.max(axis=-1, initial=-np.inf)
    # An infinite maximum is its own answer, and would make nan of the differences.
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(over="ignore"):
        below = np.maximum(values - shift[..., None], _NEGLIGIBLE)
        return np.where(np.isfinite(top), shift + log(total(exp(below))), top)[()]


def _last(x: Floats, axis: int) -> Floats:
    values = np.asarray(x, np.float64)
    return values if axis == -1 else np.moveaxis(values, axis, -1)
