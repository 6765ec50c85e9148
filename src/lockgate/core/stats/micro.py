# SPDX-License-Identifier: Apache-2.0
"""Values as text or floats come in; whole numbers of micro-units go out."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import numpy as np
from numpy.typing import ArrayLike, NDArray

MICRO = 1_000_000
# The largest magnitude in units: 1e18 micro-units, which int64 holds with room for a sign and a sum of eight.
MAX_ABS = 1_000_000_000_000

_STEP = Decimal("0.000001")
_CONTEXT = Context(prec=40, rounding=ROUND_HALF_EVEN)


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
