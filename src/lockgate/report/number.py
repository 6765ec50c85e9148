# SPDX-License-Identifier: Apache-2.0
"""A metric and its numbers come in; the words and digits that people read go out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lockgate.core.finding import Difference
from lockgate.core.metric import Kind, Metric

MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"
MISSING = "–"
MAX_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Unit:
    """How a metric's values and differences are written: a factor, and what stands after the digits."""

    factor: float
    value: str
    difference: str


def unit_of(metric: Metric) -> Unit:
    """Return the unit of a metric; shares are written in percent and differ by percentage points."""
    if metric.kind is Kind.PAIRED:
        return Unit(100.0, f"{SPACE}%", f"{SPACE}pp")
    if metric.is_share:
        return Unit(100.0, f"{SPACE}%", f"{SPACE}pp")
    if metric.kind is Kind.RATE:
        return Unit(1.0, "/run", "/run")
    if metric.field.endswith("_ms"):
        return Unit(1.0, f"{SPACE}ms", f"{SPACE}ms")
    return Unit(1.0, "", "")


def decimals_for(metric: Metric, difference: Difference | None, values: tuple[float | None, ...]) -> int:
    """Return how many decimals carry meaning: two digits of the interval, else three of the values."""
    factor = unit_of(metric).factor
    if difference is not None:
        spread = abs(difference.high - difference.low) / 2 * factor
        if math.isfinite(spread) and spread > 0:
            return _decimals(spread, 2)
    known = [abs(value) * factor for value in values if value is not None and math.isfinite(value) and value != 0]
    return _decimals(max(known), 3) if known else 0


def write_value(metric: Metric, value: float | None, decimals: int) -> str:
    """Return a value with its unit; a missing one is a dash."""
    unit = unit_of(metric)
    return MISSING if value is None else _digits(value * unit.factor, decimals) + unit.value


def write_difference(metric: Metric, value: float, decimals: int, *, with_unit: bool = True) -> str:
    """Return a signed difference with its unit."""
    unit = unit_of(metric)
    text = _digits(value * unit.factor, decimals)
    signed = text if text.startswith(MINUS) or not text.strip("0.,") else f"+{text}"
    return signed + unit.difference if with_unit else signed


def write_interval(metric: Metric, difference: Difference, decimals: int) -> str:
    """Return an interval as `+1.4 to +2.8 pp`."""
    low = write_difference(metric, difference.low, decimals, with_unit=False)
    return f"{low}{SPACE}to{SPACE}{write_difference(metric, difference.high, decimals)}"


def write_level(level: float) -> str:
    """Return a confidence level as `95 %`, with as many digits as it has."""
    return f"{float(f'{level * 100:.4f}'):g}{SPACE}%"


def write_count(count: int, noun: str) -> str:
    """Return a count with its noun in the right number."""
    return f"{count:,}{SPACE}{noun}" if count == 1 else f"{count:,}{SPACE}{noun}s"


def _digits(value: float, decimals: int) -> str:
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def _decimals(size: float, digits: int) -> int:
    exponent = int(f"{size:e}".partition("e")[2])
    return min(MAX_DECIMALS, max(0, digits - 1 - exponent))
