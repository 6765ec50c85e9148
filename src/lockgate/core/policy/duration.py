# SPDX-License-Identifier: Apache-2.0
"""A span as people write it (`90s`, `30m`, `1h30m`, `2d`) comes in; whole seconds go out, and back."""

from __future__ import annotations

import re
from fractions import Fraction

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
MAX_DURATION_S = 366 * SECONDS["d"]

_AMOUNT = r"[0-9]{1,9}(?:\.[0-9]{1,6})?"
# The lookahead at the end holds off Python's `$`, which would let a final line break pass.
DURATION_PATTERN = rf"^(?=[0-9])(?:{_AMOUNT}d)?(?:{_AMOUNT}h)?(?:{_AMOUNT}m)?(?:{_AMOUNT}s)?$(?!\n)"
_PART = re.compile(rf"({_AMOUNT})([dhms])")


def duration_seconds(text: str) -> int | None:
    """Return the seconds that a span means; None when it is none, or no whole number of seconds."""
    if re.search(DURATION_PATTERN, text) is None:
        return None
    total = sum((Fraction(amount) * SECONDS[unit] for amount, unit in _PART.findall(text)), Fraction(0))
    return int(total) if total.denominator == 1 else None


def duration_text(seconds: int) -> str:
    """Return the shortest span of one unit that means exactly these seconds."""
    if seconds == 0:
        return "0s"
    unit = next(unit for unit, size in SECONDS.items() if seconds % size == 0)
    return f"{seconds // SECONDS[unit]}{unit}"
