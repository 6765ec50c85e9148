# SPDX-License-Identifier: Apache-2.0
"""Measured rows come in; small drawings of them go out, readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 720, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 20, 24, 48
# A colour-blind-safe orange, blue and green of one lightness that holds on white and on black.
COLOURS = ("#d55e00", "#0a7cbd", "#159a70", "#b5669b")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#767676}.axis{stroke:#8b8b8b;stroke-width:1}"
    ".grid{stroke:#8b8b8b;stroke-opacity:.25}.line{fill:none;stroke-width:2.5;stroke-linejoin:round}"
    ".limit{stroke:#767676;stroke-dasharray:5 4;stroke-width:1.5}"
)


def write(folder: Path, document: Mapping[str, Any]) -> None:
    """Write every drawing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, drawing in drawings(document).items():
        (folder / name).write_text(drawing, encoding="utf-8")


def drawings(document: Mapping[str, Any]) -> dict[str, str]:
    """Return each drawing by its file name."""
    sections = document["sections"]
    return {
        "false-rollback-by-tick.svg": false_rollback(sections["looks"]),
        "rollouts-by-harm.svg": promotions(sections["rollouts"]),
    }


def false_rollback(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw false rollbacks against ticks on a logarithmic axis."""
    shown = [row for row in rows if row["cells"]["split"] != "20/20"]
    last = max(row["curve"]["ticks"][-1] for row in shown)
    top = 0.1 * math.ceil(10.0 * max(max(row["curve"]["share"]) for row in shown))
    parts = [_frame(top, "false rollback of an equal candidate")]
    for tick in (1, 10, 100, 1000):
        x = _across(math.log(tick) / math.log(last))
        parts.append(_word(x, HEIGHT - BOTTOM + 20, f"{tick:,}", "middle"))
    parts.append(_word(_across(0.5), HEIGHT - 8, "looks at the running rollout", "middle"))
    parts.append(_limit(0.05 / top, "promised 5 %"))
    ordered = sorted(shown, key=lambda row: -row["curve"]["share"][-1])
    for place, (colour, row) in enumerate(zip(COLOURS, ordered, strict=False)):
        curve = row["curve"]
        points = [
            (_across(math.log(tick) / math.log(last)), _up(share / top))
            for tick, share in zip(curve["ticks"], curve["share"], strict=True)
        ]
        parts += [_path(points, colour), _legend(place, colour, f"{row['cells']['rule']} ({row['cells']['split']})")]
    return _page("False rollbacks by tick", parts)


def promotions(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw how often a candidate reaches all traffic against its true error rate, at a baseline of 5 %."""
    cells = [row["cells"] for row in rows if row["cells"]["runs"] == 400 and row["cells"]["baseline"] == 0.05]
    rules = list(dict.fromkeys(cell["rule"] for cell in cells))
    parts = [_frame(1.0, "rollouts that reach all traffic")]
    parts += [
        _word(_across((percent - 5) / 5.0), HEIGHT - BOTTOM + 20, f"{percent} %", "middle") for percent in range(5, 11)
    ]
    parts.append(_word(_across(0.5), HEIGHT - 8, "true error rate of the candidate; the baseline has 5 %", "middle"))
    parts.append(_limit(0.05, "5 %", 0.6))
    for place, (colour, rule) in enumerate(zip(COLOURS, sorted(rules, key=_order), strict=False)):
        mine = sorted((cell["candidate"], cell["full"]) for cell in cells if cell["rule"] == rule)
        points = [(_across((rate - 0.05) / 0.05), _up(share)) for rate, share in mine]
        name = "plain: Newcombe 95 %, min_runs 30" if rule == "plain" else f"promote: {rule}"
        parts += [_path(points, colour), *(_dot(point, colour) for point in points)]
        parts.append(_legend(place, colour, name, right=True))
    return _page("Rollouts that reach all traffic, by true harm", parts)


def _order(rule: str) -> int:
    return ("plain", "proven", "clean").index(rule.partition(",")[0])


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _up(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _frame(top: float, title: str) -> str:
    lines = [_word(LEFT, TOP - 9, title, "start")]
    for step in range(6):
        y = _up(step / 5.0)
        name = "axis" if step == 0 else "grid"
        lines.append(f'<line class="{name}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(_word(LEFT - 8, y + 4, f"{20 * top * step:.0f} %", "end"))
    return "\n".join(lines)


def _limit(share: float, name: str, place: float = 1.0) -> str:
    y = _up(share)
    line = f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + _word(_across(place), y - 6, name, "end")


def _path(points: Sequence[tuple[float, float]], colour: str) -> str:
    track = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="line" stroke="{colour}" points="{track}"/>'


def _dot(point: tuple[float, float], colour: str) -> str:
    return f'<circle cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="4" fill="{colour}"/>'


def _legend(place: int, colour: str, name: str, *, right: bool = False) -> str:
    y = TOP + 18 + 20 * place
    x = WIDTH - 330 if right else LEFT + 16
    return f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="3"/>' + _word(
        x + 30, y, name, "start"
    )


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _page(title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )
