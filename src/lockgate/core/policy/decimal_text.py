# SPDX-License-Identifier: Apache-2.0
"""A double comes in; the shortest decimal text that means exactly it goes out, and back, also as percent."""

from __future__ import annotations

from decimal import Decimal

# Unsigned, as margins, shares and weights are.
NUMBER_PATTERN = r"[0-9]{1,15}(?:\.[0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?"
_PLAIN_FROM = Decimal("1e-4")
_MAX_WHOLE = 2**53


def number_from(text: str, *, hundredths: bool = False) -> float:
    """Return the double nearest to a decimal text, or to its hundredth part."""
    number = Decimal(text.strip())
    return float(number.scaleb(-2) if hundredths else number)


def number_text(value: float, *, hundredths: bool = False) -> str:
    """Return the shortest text that `number_from` reads back as exactly this double."""
    number = Decimal(repr(value)).scaleb(2 if hundredths else 0).normalize()
    return f"{number:f}" if number == 0 or abs(number) >= _PLAIN_FROM else str(number)


def plain_number(value: float) -> int | float:
    """Return a whole double as an integer, so that documents say 25 and not 25.0."""
    return int(value) if value == int(value) and abs(value) < _MAX_WHOLE else value
