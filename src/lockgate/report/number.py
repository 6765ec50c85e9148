# SPDX-License-Identifier: Apache-2.0
"""A metric and its numbers come in; the digits that people read, set as in print, go out.

The words are those of core/wording.py; here they get a true minus sign, and no line breaks between digits and unit.
"""

from __future__ import annotations

import re

from lockgate.core import wording
from lockgate.core.finding import Difference
from lockgate.core.metric import Metric

MINUS = "−"
SPACE = "\N{NO-BREAK SPACE}"
MISSING = wording.MISSING

_HYPHEN_AS_MINUS = re.compile(r"(?<![\w.\-])-(?=[\d∞])")
_BEFORE_UNIT = re.compile(r"(?<=[\d∞]) (?=(?:%|pp|ms)(?!\w))")


def write_value(metric: Metric, value: float | None, decimals: int) -> str:
    """Return a value with its unit; a missing one is a dash."""
    return _set(wording.value_text(metric, value, decimals))


def write_difference(metric: Metric, value: float, decimals: int) -> str:
    """Return a signed difference with its unit."""
    return _set(wording.difference_text(metric, value, decimals))


def write_interval(metric: Metric, difference: Difference, decimals: int) -> str:
    """Return an interval as `+1.4 to +2.8 pp`."""
    return _set(wording.interval_text(metric, difference, decimals))


def write_unit(metric: Metric) -> str:
    """Return what stands after the digits of a value."""
    return _set(wording.unit_of(metric).value)


def write_level(level: float) -> str:
    """Return a confidence level as `95 %`."""
    return _set(wording.level_text(level))


def write_count(count: int, noun: str) -> str:
    """Return a count with its noun in the right number."""
    return _set(wording.count_text(count, noun))


def write_sentence(text: str) -> str:
    """Return a sentence with true minus signs before its numbers."""
    return _HYPHEN_AS_MINUS.sub(MINUS, text)


def bind_units(text: str) -> str:
    """Return a sentence in which no line breaks between a number and its unit."""
    return _BEFORE_UNIT.sub(SPACE, text)


def _set(text: str) -> str:
    return text.replace("-", MINUS).replace(" ", SPACE)
