# SPDX-License-Identifier: Apache-2.0
"""The ends of an axis come in; the round numbers to write along it go out."""

from __future__ import annotations

import math

# Steps that people count in.
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def linear_ticks(start: float, end: float, at_most: int = 7) -> list[float]:
    """Return round numbers between the ends, evenly spaced, 0 among them if it is between."""
    raw = (end - start) / at_most
    if not math.isfinite(raw) or raw <= 0:
        return []
    power = 10.0 ** _exponent(raw)
    step = next(step for factor in ROUND if (step := factor * power) >= raw)
    return [count * step for count in range(math.ceil(start / step), math.floor(end / step) + 1)]


def decimals_of(ticks: list[float]) -> int:
    """Return how many decimals tell the ticks apart."""
    texts = [f"{tick:.9f}".rstrip("0") for tick in ticks]
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def log_ticks(start: int, end: int, at_most: int = 9) -> list[int]:
    """Return 1, 2 and 5 times powers of ten between two positive integers; fewer where they would crowd."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [factor * 10**power for power in range(len(str(end))) for factor in factors]
        inside = [tick for tick in ticks if start <= tick <= end]
        if len(inside) <= at_most:
            return inside
    return inside[:: math.ceil(len(inside) / at_most)]


def _exponent(size: float) -> int:
    return int(f"{size:e}".partition("e")[2])
