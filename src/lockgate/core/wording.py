# SPDX-License-Identifier: Apache-2.0
"""A metric and its numbers, or a span of time, come in; digits with units, as sentences write them, go out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.core.finding import Difference
from lockgate.core.metric import Kind, Metric
from lockgate.core.policy.gate import Gate, Margin

MISSING = "–"
MAX_DECIMALS = 9
# More digits of a value than this say nothing in a sentence.
VALUE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Unit:
    """How a metric's values and differences are written: a factor, and what stands after the digits."""

    factor: float
    value: str
    difference: str


def unit_of(metric: Metric) -> Unit:
    """Return the unit of a metric; shares are written in percent and differ by percentage points."""
    if metric.is_share or metric.kind is Kind.PAIRED:
        return Unit(100.0, " %", " pp")
    if metric.kind is Kind.RATE:
        return Unit(1.0, "/run", "/run")
    if metric.field.endswith("_ms"):
        return Unit(1.0, " ms", " ms")
    return Unit(1.0, "", "")


def decimals_for(metric: Metric, difference: Difference | None, values: tuple[float | None, ...]) -> int:
    """Return how many decimals carry meaning: two digits of the interval, else three of the values."""
    factor = unit_of(metric).factor
    if difference is not None:
        spread = abs(difference.high - difference.low) / 2 * factor
        if math.isfinite(spread) and spread > 0:
            return _decimals(spread, 2)
    known = [abs(value) * factor for value in values if value is not None and math.isfinite(value) and value != 0]
    return _decimals(max(known), VALUE_DIGITS) if known else 0


def value_text(metric: Metric, value: float | None, decimals: int | None = None) -> str:
    """Return a value with its unit: `5.0 %`, `812 ms`; a missing one is a dash."""
    if value is None:
        return MISSING
    places = decimals_for(metric, None, (value,)) if decimals is None else decimals
    unit = unit_of(metric)
    return _digits(value * unit.factor, places) + unit.value


def difference_text(metric: Metric, difference: float, decimals: int | None = None, *, with_unit: bool = True) -> str:
    """Return a signed difference with its unit: `+4.8 pp`."""
    places = decimals_for(metric, None, (difference,)) if decimals is None else decimals
    unit = unit_of(metric)
    text = _digits(difference * unit.factor, places)
    signed = text if text.startswith("-") or not text.strip("0.,") else f"+{text}"
    return signed + unit.difference if with_unit else signed


def interval_text(metric: Metric, difference: Difference, decimals: int) -> str:
    """Return an interval: `+3.1 to +6.6 pp`."""
    low = difference_text(metric, difference.low, decimals, with_unit=False)
    return f"{low} to {difference_text(metric, difference.high, decimals)}"


def limit_text(metric: Metric, limit: float) -> str:
    """Return an objective's limit as its owner would write it: `1 %`."""
    unit = unit_of(metric)
    return f"{float(f'{limit * unit.factor:.9g}'):,g}{unit.value}"


def level_text(level: float) -> str:
    """Return a confidence level as `95 %`; no rounding makes it 0 or 100."""
    percent = level * 100.0
    decimals = max(_decimals(part, 2) for part in (percent, 100.0 - percent) if part > 0.0)
    return f"{float(f'{percent:.{max(2, decimals)}f}'):.12g} %"


def count_text(count: int, noun: str) -> str:
    """Return a count with its noun in the right number."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def entries_text(count: int) -> str:
    """Return how many entries a log has."""
    return "1 entry" if count == 1 else f"{count:,} entries"


def listed(parts: Sequence[str]) -> str:
    """Return parts as people list them: `a, b and c`."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def margin_text(metric: Metric, margin: Margin) -> str:
    """Return a margin as its owner would write it: `75 % + 1 pp`."""
    relative = f"{float(f'{margin.relative * 100:.6g}'):g} %"
    if margin.mirrored:
        relative += " of the rest"
    unit = unit_of(metric)
    absolute = f"{float(f'{margin.absolute * unit.factor:.6g}'):g}{unit.difference}"
    parts = [text for text, size in ((relative, margin.relative), (absolute, margin.absolute)) if size]
    return " + ".join(parts) or "0"


def subject_text(gate: Gate) -> str:
    """Return what a gate looks at: its metric, with the slice."""
    if not gate.slice:
        return gate.metric.name
    return f"{gate.metric.name} [{', '.join(f'{label}={value}' for label, value in gate.slice)}]"


def duration_words(seconds: int) -> str:
    """Write seconds as people say them: `45 s`, `30 min`, `2 h 5 min`, `3 d`."""
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            rest = (seconds % unit) // smaller
            return f"{seconds // unit} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{seconds} s"


def _digits(value: float, decimals: int) -> str:
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    text = f"{abs(value):,.{decimals}f}"
    return f"-{text}" if value < 0 and text.strip("0.,") else text


def _decimals(size: float, digits: int) -> int:
    exponent = int(f"{size:e}".partition("e")[2])
    return min(MAX_DECIMALS, max(0, digits - 1 - exponent))
