# SPDX-License-Identifier: Apache-2.0
"""Findings and gates come in; intervals and bounds must be drawn where they are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.finding import Finding, Reading
from lockgate.core.policy.gate import Margin
from lockgate.report.axis import linear_ticks, log_ticks
from lockgate.report.bar import draw
from lockgate.report.plot import plot_of
from lockgate.report.screen import Screen
from tests.doors.comparisons import CLEAN, INSUFFICIENT, REGRESSED, UNAVAILABLE, finding, gate


@pytest.mark.parametrize(
    ("metric", "value", "margin", "at"),
    [
        ("error_rate", 0.02, Margin(0.5, 0.01), 0.02),
        ("latency_ms:p95", 800.0, Margin(0.05), 40.0),
        ("scores.x", 0.8, Margin(0.0, 0.1), -0.1),
        ("scores.x", 0.8, Margin(0.25, 0.0), -0.2),
        ("pass_rate", 0.9, Margin(0.1, 0.02), -0.11),
        ("pass_rate", 0.9, Margin(0.5, 0.01, mirrored=True), -0.06),
    ],
)
def test_a_bound_is_drawn_where_the_gate_puts_it(metric: str, value: float, margin: Margin, at: float) -> None:
    """A margin in the worse direction of a metric, relative to the baseline's estimate, is a place on the axis."""
    judged = finding(metric, "clean", Reading(value, 100), Reading(value, 100), (-0.1, 0.1))

    plot = plot_of(judged, gate(metric, margin=margin))

    assert plot is not None
    assert {mark.name: mark.at for mark in plot.marks}["margin"] == pytest.approx(at)


def test_what_was_not_compared_is_not_drawn() -> None:
    """Without a difference there is no plot."""
    assert plot_of(UNAVAILABLE, None) is None


@given(st.floats(-1e3, 1e3), st.floats(0, 1e3), st.integers(11, 60))
def test_a_bar_is_as_long_as_asked(low: float, breadth: float, columns: int) -> None:
    """Whatever the numbers, a bar fills its columns and shows its point."""
    value = low + breadth / 2
    plot = plot_of(finding("cost", "clean", Reading(0.0, 9), Reading(value, 9), (low, low + breadth)), gate("cost"))

    assert plot is not None
    bar = draw(plot, columns, Screen(unicode=False), "red")
    assert len(bar) == columns
    assert bar.count("O") == 1


@pytest.mark.parametrize(
    ("judged", "bar"),
    [
        (REGRESSED, "..|.........[===O==d=].>"),
        (CLEAN, "..[Ot]...............d.>"),
        (INSUFFICIENT, "<.d...[==m====O==|===].."),
    ],
)
def test_bars_read_without_colour(judged: Finding, bar: str) -> None:
    """Zero, bounds, interval, estimate and the worse direction each have a sign."""
    tolerance = Margin(0.05) if judged is CLEAN else Margin()
    margin = Margin(0.0, 0.05) if judged is INSUFFICIENT else None
    plot = plot_of(judged, gate(judged.metric.name, tolerance, margin))

    assert plot is not None
    assert draw(plot, 24, Screen(unicode=False), "red") == bar


def test_an_end_without_bound_is_drawn_open() -> None:
    """Where too few runs bound the interval, its bar runs off the axis without an end."""
    judged = finding("latency_ms:p99", "insufficient", Reading(900.0, 9), Reading(950.0, 9), (-math.inf, 400.0))

    plot = plot_of(judged, None)

    assert plot is not None
    assert draw(plot, 24, Screen(unicode=False), "red") == ".=|=O================].>"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_and_inside(start: float, breadth: float) -> None:
    """An axis has from two to eight round numbers."""
    ticks = linear_ticks(start, start + breadth)

    assert 2 <= len(ticks) <= 8
    assert all(start - 1e-6 * breadth <= tick <= start + breadth * (1 + 1e-6) for tick in ticks)


@given(st.integers(1, 10**12), st.integers(11, 10**6))
def test_logarithmic_ticks_are_few_and_inside(start: int, factor: int) -> None:
    """An axis over more than a factor of ten has from one to nine round numbers."""
    ticks = log_ticks(start, start * factor)

    assert 1 <= len(ticks) <= 9
    assert all(start <= tick <= start * factor for tick in ticks)
