# SPDX-License-Identifier: Apache-2.0
"""A release record comes in; its weights over time go out as inline SVG, styled by the page's classes alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import escape

from lockgate.report.release_event import Record, weight_of

WIDTH, HEIGHT = 720, 210
LEFT, RIGHT, TOP, BOTTOM = 76, 14, 16, 42
# Labels of weights nearer to each other than this would lie over each other.
CROWDED = 24
MARK = 5


def weights_svg(record: Record) -> str:
    """Return the ramp: what was asked for as a line, what was read back as points, who stepped in as marks."""
    asked = [(_seconds(move["at"]), weight_of(move)) for move in record["weights"]["asked"]]
    end = _seconds(record["period"]["lastReceiptAt"])
    begin = asked[0][0]
    x, y = _across(begin, max(end, begin + 1)), _up
    parts = [_grid(sorted({weight for _, weight in asked} | {0.0, 100.0}))]
    parts.append(f'<path class="ramp" d="{_path(asked, end, x)}"/>')
    for read in record["weights"]["observed"]:
        at = x(_seconds(read["readAt"] or read["statedAt"]))
        parts.append(f'<circle class="read" cx="{at:.1f}" cy="{y(read["weight"]):.1f}" r="4"/>')
    parts += [_mark(x(_seconds(each["at"]))) for each in record["operatorActions"]]
    parts += [_text(LEFT, HEIGHT - 8, "start", _clock(record["weights"]["asked"][0]["at"]))]
    parts += [_text(WIDTH - RIGHT, HEIGHT - 8, "end", _clock(record["period"]["lastReceiptAt"]))]
    return (
        f'<svg class="weights" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_said(record))}">'
        f"{''.join(parts)}</svg>"
    )


def _said(record: Record) -> str:
    weights = ", ".join(f"{weight_of(move):g} %" for move in record["weights"]["asked"][:50])
    return f"Weight of the candidate over time: {weights}"


def _grid(weights: list[float]) -> str:
    parts, last = [], float("inf")
    for weight in reversed(weights):
        at = _up(weight)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        if weight in (0, 100) or (abs(at - last) >= CROWDED and abs(at - _up(0)) >= CROWDED):
            parts.append(_text(LEFT - 6, at + 4, "end", f"{weight:g} %"))
            last = at
    return "".join(parts)


def _path(asked: list[tuple[float, float]], end: float, x: Callable[[float], float]) -> str:
    (first, weight), *rest = asked
    steps = [f"M{x(first):.1f},{_up(weight):.1f}"]
    for at, following in rest:
        steps.append(f"H{x(at):.1f}V{_up(following):.1f}")
    return f"{''.join(steps)}H{x(end):.1f}"


def _mark(at: float) -> str:
    low = HEIGHT - BOTTOM
    return f'<path class="person" d="M{at:.1f},{low}l-{MARK},{MARK * 2}h{MARK * 2}z"/>'


def _text(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _across(begin: float, end: float) -> Callable[[float], float]:
    room = WIDTH - LEFT - RIGHT
    return lambda at: LEFT + room * min(1.0, max(0.0, (at - begin) / (end - begin)))


def _up(weight: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * weight / 100


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _clock(at: str) -> str:
    return f"{at[:10]} {at[11:19]} UTC"
