# SPDX-License-Identifier: Apache-2.0
"""Plots and spreads come in; inline SVG, styled by the page's classes alone, goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from lockgate.core.finding import Outcome
from lockgate.core.metric import Metric
from lockgate.core.wording import unit_of
from lockgate.report import number
from lockgate.report.axis import decimals_of, linear_ticks
from lockgate.report.distribution import Spread
from lockgate.report.plot import MEANINGS, ORIGINS, Plot

WIDTH = 720
SIDE = 14
LABEL_ROW = 15
CHARACTER = 7.6


def interval_svg(plot: Plot, metric: Metric, tone: str, title: str) -> str:
    """Return an interval on its axis, with the zones where it would be regressed and clean."""
    labels = _placed(plot)
    top = 6 + LABEL_ROW * (1 + max(row for *_, row in labels))
    middle, axis = top + 20, top + 50
    x = _across(plot.at)
    parts = [_zones(plot, x, axis), f'<line class="axis" x1="{SIDE}" x2="{WIDTH - SIDE}" y1="{axis}" y2="{axis}"/>']
    for name, at, text_x, row in labels:
        y = 12 + row * LABEL_ROW
        parts.append(f'<line class="mark {name}" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{y + 4}" y2="{axis}"/>')
        parts.append(_text(text_x, y, _label_text(plot, name), f"label {name}"))
    parts += _ticks(plot, metric, x, axis)
    parts.append(_interval(plot, x, middle, tone))
    return _svg(axis + 30, title, parts)


def _interval(plot: Plot, x: Callable[[float], float], y: int, tone: str) -> str:
    """Return the bar and its estimate; an end without bound has no cap."""
    low, high = x(plot.low), x(plot.high)
    caps = [at for at, is_open in zip((low, high), plot.is_open, strict=True) if not is_open]
    lines = [f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>']
    lines += [f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - 7}" y2="{y + 7}"/>' for at in caps]
    point = f'<circle cx="{x(plot.estimate):.1f}" cy="{y}" r="6"/>'
    return f'<g class="interval {tone}">{"".join(lines)}{point}</g>'


def small_svg(plot: Plot, tone: str, title: str) -> str:
    """Return an interval around zero, small enough for a table's cell."""
    wide, high = 200, 20

    def x(value: float) -> float:
        return 4 + plot.at(value) * (wide - 8)

    return (
        f'<svg class="small" viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(title)}">'
        f'<line class="axis" x1="2" x2="{wide - 2}" y1="10" y2="10"/>'
        f'<line class="mark zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="2" y2="18"/>'
        f'<g class="interval {tone}"><line x1="{x(plot.low):.1f}" x2="{x(plot.high):.1f}" y1="10" y2="10"/>'
        f'<circle cx="{x(plot.estimate):.1f}" cy="10" r="4"/></g></svg>'
    )


def spread_svg(spread: Spread, unit: str, marks: Iterable[tuple[str, float, float]], title: str) -> str:
    """Return both releases' outlines on one axis, with the quantiles that were compared."""
    marks = list(marks)
    top = 24 if marks else 8
    tall = 130
    base = top + tall + 14
    highest = max(*spread.baseline, *spread.candidate)

    def x(at: float) -> float:
        return SIDE + at * (WIDTH - 2 * SIDE)

    parts = []
    for arm, shares in (("baseline", spread.baseline), ("candidate", spread.candidate)):
        points = _steps([x(cell / len(shares)) for cell in range(len(shares) + 1)], shares, base, tall / highest)
        parts.append(f'<path class="outline {arm}" d="M{x(0):.1f},{base} {points} L{x(1):.1f},{base}"/>')
    parts.append(f'<line class="axis" x1="{SIDE}" x2="{WIDTH - SIDE}" y1="{base}" y2="{base}"/>')
    decimals = decimals_of([tick.value for tick in spread.ticks])
    for tick in spread.ticks:
        parts.append(f'<line class="axis" x1="{x(tick.at):.1f}" x2="{x(tick.at):.1f}" y1="{base}" y2="{base + 5}"/>')
        digits = f"{tick.value:,.{decimals_of([tick.value]) if spread.is_log else decimals}f}"
        parts.append(_text(x(tick.at), base + 19, digits + unit, "tick"))
    for name, *places in marks:
        at = [x(spread.place(place)) for place in places]
        for arm, place in zip(("baseline", "candidate"), at, strict=True):
            parts.append(f'<line class="quantile {arm}" x1="{place:.1f}" x2="{place:.1f}" y1="{top}" y2="{base}"/>')
        parts.append(_text(sum(at) / 2, 16, name, "label"))
    return _svg(base + 26, title, parts)


def emblem_svg(outcome: Outcome) -> str:
    """Return the lock: water on both sides of the gate, level only where the releases are."""
    left, right = 30, {Outcome.REGRESSED: 48, Outcome.CLEAN: 30, Outcome.PROVEN: 30}.get(outcome, 39)
    is_level = left == right
    # An open gate stands aside in two short leaves; a shut one crosses the whole chamber.
    gate = "M60,12 V20 M60,54 V62" if is_level else "M60,10 V62"
    sure = "" if is_level or outcome is Outcome.REGRESSED else " unsure"
    return (
        '<svg class="emblem" viewBox="0 0 120 68" aria-hidden="true">'
        f'<path class="water" d="{_wave(6, 60, left)} V62 H6 Z"/>'
        f'<path class="water candidate{sure}" d="{_wave(60, 114, right)} V62 H60 Z"/>'
        f'<path class="wall" d="M6,8 V62 H114 V8"/><path class="gate" d="{gate}"/></svg>'
    )


def _wave(start: int, end: int, level: int) -> str:
    quarter = (end - start) / 4
    return f"M{start},{level} q{quarter / 2},-4 {quarter},0 t{quarter},0 t{quarter},0 t{quarter},0"


def _labels(plot: Plot) -> list[tuple[str, float]]:
    marks = [(mark.name, mark.at) for mark in plot.marks if mark.at != 0.0]
    return [("zero", 0.0), *marks]


def _label_text(plot: Plot, name: str) -> str:
    if name != "zero":
        return MEANINGS[name]
    origin = ORIGINS[plot.is_from_limit]
    if plot.is_from_limit:
        return origin
    at_zero = [MEANINGS[mark.name] for mark in plot.marks if mark.at == 0.0 and mark.name == "tolerance"]
    return " = ".join([origin, *at_zero])


def _placed(plot: Plot) -> list[tuple[str, float, float, int]]:
    """Return each label with its x and the first row where it touches no other."""
    labels, x = _labels(plot), _across(plot.at)
    placed: list[tuple[str, float, float, int]] = []
    taken: list[tuple[int, float, float]] = []
    for name, at in sorted(labels, key=lambda label: label[1]):
        half = CHARACTER * len(_label_text(plot, name)) / 2
        middle = min(WIDTH - SIDE - half, max(SIDE + half, x(at)))
        row = next(
            row
            for row in range(len(labels))
            if all(row != other or middle - half > end or middle + half < start for other, start, end in taken)
        )
        taken.append((row, middle - half, middle + half))
        placed.append((name, at, middle, row))
    return placed


def _zones(plot: Plot, x: Callable[[float], float], axis: int) -> str:
    """Return the strips along the axis where an interval would be regressed, and where it would be clean."""
    worst, best = (plot.end, plot.start) if plot.worse_is_right else (plot.start, plot.end)
    strips = []
    for name, end, y in (("tolerance", worst, axis - 7), ("detect", best, axis - 3)):
        for mark in plot.marks:
            if mark.name == name:
                left, right = sorted((x(mark.at), x(end)))
                strips.append(
                    f'<rect class="zone {name}" x="{left:.1f}" width="{right - left:.1f}" y="{y}" height="3"/>'
                )
    return "".join(strips)


def _ticks(plot: Plot, metric: Metric, x: Callable[[float], float], axis: int) -> list[str]:
    factor = unit_of(metric).factor
    ticks = linear_ticks(plot.start * factor, plot.end * factor)
    decimals = decimals_of(ticks)
    parts = []
    for tick in ticks:
        at = x(tick / factor)
        parts.append(f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{axis}" y2="{axis + 5}"/>')
        parts.append(_text(at, axis + 19, number.write_difference(metric, tick / factor, decimals), "tick"))
    return parts


def _steps(edges: list[float], shares: tuple[float, ...], base: int, scale: float) -> str:
    steps = []
    for left, right, share in zip(edges, edges[1:], shares, strict=False):
        y = base - share * scale
        steps.append(f"L{left:.1f},{y:.1f} L{right:.1f},{y:.1f}")
    return " ".join(steps)


def _across(at: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: SIDE + at(value) * (WIDTH - 2 * SIDE)


def _text(x: float, y: float, text: str, css: str) -> str:
    half = CHARACTER * len(text) / 2
    middle = min(WIDTH - half, max(half, x))
    return f'<text class="{css}" x="{middle:.1f}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def _svg(height: float, title: str, parts: list[str]) -> str:
    name = escape(title)
    opening = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}"><title>{name}</title>'
    return f"{opening}{''.join(parts)}</svg>"
