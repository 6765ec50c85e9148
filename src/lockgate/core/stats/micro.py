# SPDX-License-Identifier: Apache-2.0
"""Values as text or floats come in; whole numbers of micro-units, whose sums are exact, go out."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import numpy as np
from numpy.typing import ArrayLike, NDArray

MICRO = 1_000_000
# The largest magnitude in units: 1e18 micro-units, which int64 holds with room for a sign and a sum of eight.
MAX_ABS = 1_000_000_000_000

_STEP = Decimal("0.000001")
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)
_LIMB = 32
_LOW = np.uint64((1 << _LIMB) - 1)
_BLOCK = 1 << 15


def from_text(text: str) -> int:
    """Return the micro-units of a decimal number, ties to even; ValueError if it is none or beyond MAX_ABS."""
    try:
        value = Decimal(text) if text.isascii() and "_" not in text else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise ValueError(f"not a finite number: {text[:40]!r}")
    if value.copy_abs() > MAX_ABS:
        raise ValueError(f"beyond {MAX_ABS:.0e}: {text[:40]!r}")
    return int(value.quantize(_STEP, context=_CONTEXT).scaleb(6, context=_CONTEXT))


def from_float(values: ArrayLike) -> NDArray[np.int64]:
    """Return the micro-units of floats, rint(x * 1e6); ValueError if one is not finite or beyond MAX_ABS.

    Decimals of at most six places and below 2e9 give what `from_text` gives.
    """
    floats = np.asarray(values, np.float64)
    # A comparison with no-number is false, so this rejects it too.
    within = np.abs(floats) <= MAX_ABS
    if not within.all():
        position = int(np.argmin(within))
        raise ValueError(f"not a number within {MAX_ABS:.0e}: {floats.reshape(-1)[position]} at {position}")
    return np.rint(floats * float(MICRO)).astype(np.int64)


def values_total(values: NDArray[np.int64]) -> int:
    """Return the exact sum, however many values there are."""
    flat = values.reshape(-1)
    high = int((flat >> _LIMB).sum(dtype=np.int64))
    low = int((flat & np.int64(_LOW)).sum(dtype=np.int64))
    return (high << _LIMB) + low


def squares_total(values: NDArray[np.int64]) -> int:
    """Return the exact sum of squares of values within 1e18 in magnitude."""
    flat = np.ascontiguousarray(values).reshape(-1)
    blocks = (flat[start : start + _BLOCK] for start in range(0, flat.size, _BLOCK))
    return sum(int(_squares_block(np.abs(block).view(np.uint64))) for block in blocks)


def _squares_block(sizes: NDArray[np.uint64]) -> int:
    top = int(sizes.max())
    if top * top * sizes.size < 1 << 64:
        return int((sizes * sizes).sum(dtype=np.uint64))
    if top < 1 << _LIMB:
        return _wide_total(sizes * sizes)
    # Two limbs of 30 bits: each product is below 2^60, and its sum is taken in two halves again.
    low, high = sizes & np.uint64((1 << 30) - 1), sizes >> np.uint64(30)
    return (_wide_total(high * high) << 60) + (_wide_total(high * low) << 31) + _wide_total(low * low)


def _wide_total(sizes: NDArray[np.uint64]) -> int:
    high = int((sizes >> np.uint64(_LIMB)).sum(dtype=np.uint64))
    return (high << _LIMB) + int((sizes & _LOW).sum(dtype=np.uint64))
