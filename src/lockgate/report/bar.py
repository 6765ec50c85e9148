# SPDX-License-Identifier: Apache-2.0
"""A plot comes in; one line of characters with its interval, zero and bounds goes out."""

from __future__ import annotations

from lockgate.report.plot import Plot
from lockgate.report.screen import Screen

# Bounds are drawn by their first letter, which reads the same with and without colour.
LETTERS = {"tolerance": "t", "detect": "d", "margin": "m"}
MIN_COLUMNS = 11

Cell = tuple[str, tuple[str, ...]]


def draw(plot: Plot, columns: int, screen: Screen, tone: str) -> str:
    """Return the interval as a bar: track, zero, bounds, and an arrow at the end where worse lies."""
    signs = screen.signs
    cells: list[Cell] = [(signs.track, ("dim",))] * columns
    low, high = _column(plot, plot.low, columns), _column(plot, plot.high, columns)
    for column in range(low, high + 1):
        cells[column] = (signs.interval, (tone,))
    for column, end, is_open in zip((low, high), signs.ends, plot.is_open, strict=True):
        if not is_open:
            cells[column] = (end, (tone,))
    cells[_column(plot, 0.0, columns)] = (signs.zero, ("bold",))
    for mark in plot.marks:
        if mark.at != 0.0:
            cells[_column(plot, mark.at, columns)] = (LETTERS[mark.name], ("bold",))
    cells[_column(plot, plot.estimate, columns)] = (signs.point, (tone, "bold"))
    if plot.worse_is_right:
        cells[-1] = (signs.right, ("dim",))
    else:
        cells[0] = (signs.left, ("dim",))
    return _join(cells, screen)


def _column(plot: Plot, value: float, columns: int) -> int:
    # The outermost columns are kept for the arrow.
    return 1 + min(columns - 3, int(plot.at(value) * (columns - 2)))


def _join(cells: list[Cell], screen: Screen) -> str:
    parts: list[str] = []
    start = 0
    for end in range(1, len(cells) + 1):
        if end == len(cells) or cells[end][1] != cells[start][1]:
            parts.append(screen.paint("".join(sign for sign, _ in cells[start:end]), *cells[start][1]))
            start = end
    return "".join(parts)
