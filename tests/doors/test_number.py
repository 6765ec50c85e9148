# SPDX-License-Identifier: Apache-2.0
"""Metrics and numbers come in; the digits that people read must carry meaning and a unit."""

from __future__ import annotations

import math

import pytest

from lockgate.core.finding import Difference, Reading
from lockgate.core.metric import parse_metric
from lockgate.core.wording import decimals_for
from lockgate.report import number
from lockgate.report.row import row_of
from tests.doors.comparisons import finding


def _row(metric: str, before: float, after: float, interval: tuple[float, float]) -> tuple[str, str, str, str]:
    row = row_of(finding(metric, "clean", Reading(before, 100), Reading(after, 100), interval), None)
    before_, after_, difference, limits = (
        text.replace(number.SPACE, " ") for text in (row.baseline, row.candidate, row.difference, row.interval)
    )
    return before_, after_, difference, limits


@pytest.mark.parametrize(
    ("metric", "numbers", "texts"),
    [
        ("error_rate", (0.02, 0.041, (0.0142, 0.0279)), ("2.00 %", "4.10 %", "+2.10 pp", "+1.42 to +2.79 pp")),
        ("error_rate", (0.1, 0.1, (-0.2, 0.3)), ("10 %", "10 %", "0 pp", "−20 to +30 pp")),
        ("latency_ms:p95", (8120.0, 8300.0, (-120.0, 480.0)), ("8,120 ms", "8,300 ms", "+180 ms", "−120 to +480 ms")),
        ("cost", (0.00212, 0.00214, (-0.0001, 0.00014)), ("0.00212", "0.00214", "+0.00002", "−0.00010 to +0.00014")),
        ("scores.x", (0.83, 0.81, (-0.07, 0.03)), ("0.830", "0.810", "−0.020", "−0.070 to +0.030")),
    ],
)
def test_numbers_are_written_with_the_digits_that_the_interval_gives_meaning_to(
    metric: str, numbers: tuple[float, float, tuple[float, float]], texts: tuple[str, ...]
) -> None:
    """All numbers of a row share their decimals: two digits of the interval's half width."""
    assert _row(metric, *numbers) == texts


def test_a_value_without_an_interval_has_three_digits() -> None:
    """What was not compared is still readable."""
    metric = parse_metric("latency_ms:p95")

    decimals = decimals_for(metric, None, (None, 3.14159))

    assert number.write_value(metric, 3.14159, decimals).replace(number.SPACE, " ") == "3.14 ms"


def test_an_open_interval_is_written_and_not_a_crash() -> None:
    """An end at infinity has a sign of its own."""
    metric = parse_metric("cost")
    difference = Difference(1.0, -math.inf, math.inf, 0.95, "none")

    decimals = decimals_for(metric, difference, (1.0, 2.0))

    assert number.write_interval(metric, difference, decimals).replace(number.SPACE, " ") == "−∞ to +∞"


def test_a_rounded_zero_has_no_sign() -> None:
    """Minus nothing is nothing."""
    assert number.write_difference(parse_metric("cost"), -0.0001, 2) == "0.00"


@pytest.mark.parametrize(
    ("level", "text"),
    [(0.95, "95 %"), (0.975, "97.5 %"), (1 - 0.05 / 6, "99.17 %"), (0.99999, "99.999 %"), (0.00001, "0.001 %")],
)
def test_a_level_has_the_digits_that_tell_it_from_certainty(level: float, text: str) -> None:
    """Four digits do, but for levels that would round to 0 or 100."""
    assert number.write_level(level).replace(number.SPACE, " ") == text


def test_a_sentence_keeps_numbers_and_units_together() -> None:
    """A line never ends between 75 and its percent sign, and minus is a minus."""
    said = "fell by -3.5 pp (95 % interval -∞ to +7 ms), worse than 75 % + 1 pp in p-1 msgs"

    text = number.bind_units(number.write_sentence(said))

    expected = "fell by −3.5_pp (95_% interval −∞ to +7_ms), worse than 75_% + 1_pp in p-1 msgs"
    assert text == expected.replace("_", number.SPACE)
