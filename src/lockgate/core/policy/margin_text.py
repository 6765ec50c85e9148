# SPDX-License-Identifier: Apache-2.0
"""A margin as its owner writes it (`5%`, `1pp`, `100`, `5% + 0.01`) comes in; a Margin goes out, and back.

`%` is a part of the baseline's value; `pp` is percentage points; a bare number is in the metric's own unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.metric import Kind, Metric
from lockgate.core.policy.decimal_text import NUMBER_PATTERN, number_from, number_text, plain_number
from lockgate.core.policy.gate import Margin

RELATIVE_PATTERN = rf"^{NUMBER_PATTERN} ?%$(?!\n)"
ABSOLUTE_PATTERN = rf"^{NUMBER_PATTERN}(?: ?pp)?$(?!\n)"
MARGIN_PATTERN = rf"^(?:{NUMBER_PATTERN} ?%(?: *\+ *{NUMBER_PATTERN}(?: ?pp)?)?|{NUMBER_PATTERN}(?: ?pp)?)$(?!\n)"


@dataclass(frozen=True, slots=True)
class StatedMargin:
    """A margin and whether its amount was stated in percentage points, which only a share has."""

    margin: Margin
    in_points: bool = False


def stated_margin(text: str) -> StatedMargin:
    """Return the margin that a text in the form of MARGIN_PATTERN means."""
    relative = 0.0
    absolute = StatedMargin(Margin())
    for term in re.split(r" *(?<![eE])\+ *", text):
        if term.endswith("%"):
            relative = relative_from(term)
        else:
            absolute = _amount(term)
    return StatedMargin(Margin(relative, absolute.margin.absolute), absolute.in_points)


def relative_from(text: str) -> float:
    """Return the part of one that a percentage means."""
    return number_from(text.removesuffix("%"), hundredths=True)


def _amount(text: str) -> StatedMargin:
    in_points = text.endswith("pp")
    return StatedMargin(Margin(0.0, number_from(text.removesuffix("pp"), hundredths=in_points)), in_points)


def absolute_from(value: float | str) -> tuple[float, bool]:
    """Return an amount, and whether it was stated in percentage points."""
    if not isinstance(value, str):
        return float(value), False
    stated = _amount(value)
    return stated.margin.absolute, stated.in_points


def takes_points(metric: Metric) -> bool:
    """Say whether percentage points mean anything for a metric."""
    return metric.kind in (Kind.BINARY, Kind.PAIRED) or metric.is_score


def margin_document(margin: Margin, metric: Metric) -> Json:
    """Return the one way in which an effective policy spells a margin."""
    relative = f"{number_text(margin.relative, hundredths=True)}%"
    amount: Json = plain_number(margin.absolute)
    if metric.is_share and margin.absolute:
        amount = f"{number_text(margin.absolute, hundredths=True)}pp"
    if margin.mirrored:
        return {"relative": relative, "absolute": amount, "mirrored": True}
    if margin.relative == 0.0:
        return amount
    if margin.absolute == 0.0:
        return relative
    return f"{relative} + {amount if isinstance(amount, str) else number_text(margin.absolute)}"


def margin_words(margin: Margin, metric: Metric) -> str:
    """Return a margin as words that follow `worse`, such as `by more than 5 %`."""
    if margin.is_zero:
        return "at all"
    terms = []
    if margin.relative:
        of = " of what is missing to 100 %" if margin.mirrored else ""
        terms.append(f"{number_text(margin.relative, hundredths=True)} %{of}")
    if margin.absolute and metric.is_share:
        terms.append(f"{number_text(margin.absolute, hundredths=True)} pp")
    elif margin.absolute:
        terms.append(number_text(margin.absolute))
    return f"by more than {' + '.join(terms)}"
