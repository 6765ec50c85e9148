# SPDX-License-Identifier: Apache-2.0
"""A difference and the bounds that it is judged by come in; positions between 0 and 1 go out.

An axis starts from no difference; that of an objective starts from its limit.
Screens and pages draw from the same positions.
A bound that is relative to the baseline is drawn at the baseline's estimate;
the judgement itself takes into account how well the baseline is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lockgate.core.finding import Difference, Finding
from lockgate.core.metric import Kind, Metric, Worse
from lockgate.core.policy.gate import Gate, Margin

# Empty track at either end, as a part of what is shown.
PADDING = 0.08
# What the bounds of a gate are called where they are drawn.
MEANINGS = {"tolerance": "tolerance", "detect": "clean within", "margin": "proven within"}
# What an axis starts from, by whether that is a limit.
ORIGINS = {False: "no difference", True: "the limit"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A bound at a place on the axis: `tolerance`, `detect`, `margin`."""

    name: str
    at: float


@dataclass(frozen=True, slots=True)
class Plot:
    """An axis from `start` to `end` in the metric's own unit, an interval on it, and the marks around.

    An end of the interval that `is_open` has no bound; it is drawn to the end of the axis.
    """

    start: float
    end: float
    low: float
    estimate: float
    high: float
    is_open: tuple[bool, bool]
    marks: tuple[Mark, ...]
    worse_is_right: bool
    is_from_limit: bool

    def at(self, value: float) -> float:
        """Return where a value lies between the ends of the axis, as a number from 0 to 1."""
        return min(1.0, max(0.0, (value - self.start) / (self.end - self.start)))


def plot_of(finding: Finding, gate: Gate | None) -> Plot | None:
    """Return how to draw a finding; without a finite difference there is nothing to draw."""
    difference = finding.difference
    if difference is None or not math.isfinite(difference.estimate):
        return None
    marks = _marks(gate, finding) if gate is not None else ()
    shown = [0.0, *(mark.at for mark in marks), *_finite(difference)]
    low, high = min(shown), max(shown)
    room = (high - low) * PADDING or 1.0
    return Plot(
        low - room,
        high + room,
        difference.low if math.isfinite(difference.low) else low - room,
        difference.estimate,
        difference.high if math.isfinite(difference.high) else high + room,
        (not math.isfinite(difference.low), not math.isfinite(difference.high)),
        marks,
        worse_is_right(finding.metric),
        gate is not None and gate.is_objective,
    )


def worse_is_right(metric: Metric) -> bool:
    """Say whether a positive difference is a worsening; net losses count upwards whatever the field."""
    return metric.kind is Kind.PAIRED or metric.worse is Worse.HIGHER


def _finite(difference: Difference) -> list[float]:
    return [value for value in (difference.low, difference.estimate, difference.high) if math.isfinite(value)]


def _marks(gate: Gate, finding: Finding) -> tuple[Mark, ...]:
    origin = gate.limit if gate.is_objective else finding.baseline.value
    named = (("tolerance", gate.tolerance), ("detect", gate.detect), ("margin", gate.margin))
    places = ((name, _place(gate, margin, origin)) for name, margin in named if margin is not None)
    return tuple(Mark(name, at) for name, at in places if at is not None)


def _place(gate: Gate, margin: Margin, baseline: float | None) -> float | None:
    """Return where a margin lies on the axis of `candidate - baseline` (or `- limit`), as the metric is named."""
    bound = gate.bound(margin)
    if gate.metric.kind is Kind.PAIRED:
        return bound.offset
    if baseline is None:
        return bound.offset if bound.ratio == 1.0 else None
    if gate.metric.worse is Worse.HIGHER:
        return (bound.ratio - 1.0) * baseline + bound.offset
    if gate.metric.kind is Kind.BINARY:
        return (1.0 - bound.ratio) * (1.0 - baseline) - bound.offset
    return (bound.ratio - 1.0) * baseline - bound.offset
