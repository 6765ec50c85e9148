# SPDX-License-Identifier: Apache-2.0
"""A comparison and a screen come in; the table that a person reads in a terminal goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.comparison import Comparison
from lockgate.report import number
from lockgate.report.bar import LETTERS, MIN_COLUMNS, draw
from lockgate.report.headline import arm_names, headline, verdict_rule
from lockgate.report.plot import MEANINGS, ORIGINS, Plot
from lockgate.report.row import Row, gate_rows, outcome_words, shown_rows
from lockgate.report.screen import TONES, Screen
from lockgate.report.text import NO_BREAK, pad, shorten, width, wrap

MARGIN = "  "
GAP = "   "
MAX_BAR = 44
# Below this a row's interval stands in its second line, so that the bar stays readable.
WIDE = 104
MIN_LABEL, MAX_LABEL_SHARE = 8, 3
# What a release's name may take of its column's head, on a narrow and on a wide screen.
NAME_COLUMNS = (9, 14)
COHORT_COLUMNS = 30


@dataclass(frozen=True, slots=True)
class Columns:
    """How many columns of the terminal each column of the table takes; 0 leaves it out."""

    label: int
    baseline: int
    candidate: int
    difference: int
    interval: int
    bar: int


def render_table(comparison: Comparison, screen: Screen) -> str:
    """Return the comparison as lines for a terminal: the sentence, the cohorts, the gates, what else was measured."""
    screen = screen.bounded()
    gates, shown = gate_rows(comparison), shown_rows(comparison)
    columns = _columns(comparison, (*gates, *shown), screen)
    parts = [_headline(comparison, screen), _cohorts(comparison, screen)]
    parts.append([_heads(comparison, columns, screen)])
    for row in gates:
        parts[-1] += [*_gate(row, columns, screen), ""]
    parts[-1].pop()
    if shown:
        title = screen.paint(f"{MARGIN}Shown beside the gates, without a say in the outcome", "dim")
        parts.append([title, *(_numbers(row, columns, screen, gating=False) for row in shown)])
    drawn = (*gates, *shown) if columns.bar else ()
    parts.append(_legend(drawn, comparison, screen))
    lines = [line.rstrip() for part in parts if part for line in ["", *part]]
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def _headline(comparison: Comparison, screen: Screen) -> list[str]:
    outcome = comparison.outcome
    tone = TONES[outcome]
    word = f"{screen.signs.outcomes[outcome]} {outcome_words(outcome).upper()}"
    lines = wrap(screen.text(headline(comparison)), screen.width - len(MARGIN) - len(word) - 2)
    indent = MARGIN + " " * (len(word) + 2)
    first = f"{MARGIN}{screen.paint(word, tone, 'bold')}  {screen.paint(lines[0], 'bold')}"
    return [first, *(indent + screen.paint(line, "bold") for line in lines[1:])]


def _cohorts(comparison: Comparison, screen: Screen) -> list[str]:
    both = (("baseline", comparison.baseline), ("candidate", comparison.candidate))
    arms = [(arm, name) for arm, name in both if name is not None]
    names = [shorten(screen.text(name), screen.width - COHORT_COLUMNS, screen.signs.ellipsis) for _, name in arms]
    longest = max(width(name) for name in names)
    lines = [
        f"{MARGIN}{screen.paint(pad(arm, 9), 'dim')}  {pad(name, longest)}  "
        f"{number.write_count(comparison.sizes.get(of, 0), 'run')}"
        for (arm, of), name in zip(arms, names, strict=True)
    ]
    for note in comparison.notes:
        lines += [MARGIN + screen.paint(line, "dim") for line in wrap(screen.text(note), screen.width - len(MARGIN))]
    return lines


def _columns(comparison: Comparison, rows: tuple[Row, ...], screen: Screen) -> Columns:
    def widest(texts: list[str], at_least: int = 0) -> int:
        return max([at_least, *(width(screen.text(text)) for text in texts)])

    heads = _head_names(comparison, screen)
    baseline = widest([heads[0], *(row.baseline for row in rows)])
    candidate = widest([heads[1], *(row.candidate for row in rows)])
    difference = widest([row.difference for row in rows], len("difference"))
    interval = widest([row.interval for row in rows], len("95 % interval")) if screen.width >= WIDE else 0
    cells = [baseline, candidate, difference, *([interval] if interval else [])]
    room = screen.width - len(MARGIN) - 2 - sum(cells) - len(GAP) * len(cells)
    label = min(widest([row.label for row in rows]), screen.width // MAX_LABEL_SHARE, max(MIN_LABEL, room))
    bar = min(MAX_BAR, room - label - len(GAP))
    return Columns(label, baseline, candidate, difference, interval, bar if bar >= MIN_COLUMNS else 0)


def _head_names(comparison: Comparison, screen: Screen) -> tuple[str, str]:
    return arm_names(comparison, NAME_COLUMNS[screen.width >= WIDE], screen.text, screen.signs.ellipsis)


def _heads(comparison: Comparison, columns: Columns, screen: Screen) -> str:
    level = f"{number.write_level(comparison.level)} interval"
    baseline, candidate = _head_names(comparison, screen)
    cells = [
        pad("", 2 + columns.label),
        pad(baseline, columns.baseline, right=True),
        pad(candidate, columns.candidate, right=True),
        pad("difference", columns.difference, right=True),
    ]
    if columns.interval:
        cells.append(pad(level, columns.interval))
    elif columns.bar:
        cells.append(level)
    return MARGIN + screen.paint(GAP.join(cells).rstrip(), "dim")


def _gate(row: Row, columns: Columns, screen: Screen) -> list[str]:
    tone = TONES[row.outcome]
    word = outcome_words(row.outcome)
    indent = MARGIN + "  "
    room = screen.width - len(indent)
    first, *rest = wrap(screen.text(f"{word}  {row.reason}"), room)
    painted = screen.paint(word, tone, "bold") + first[len(word) :]
    return [_numbers(row, columns, screen, gating=True), indent + painted, *(indent + line for line in rest)]


def _numbers(row: Row, columns: Columns, screen: Screen, *, gating: bool) -> str:
    tone = TONES[row.outcome]
    sign = screen.paint(screen.signs.outcomes[row.outcome], tone, "bold") if gating else " "
    label = pad(screen.text(row.label, columns.label), columns.label)
    values = GAP.join(
        pad(screen.text(text), columns_of, right=True)
        for text, columns_of in (
            (row.baseline, columns.baseline),
            (row.candidate, columns.candidate),
            (row.difference, columns.difference),
        )
    )
    if columns.interval:
        values += GAP + pad(screen.text(row.interval), columns.interval)
    plain = () if gating else ("dim",)
    weight = ("bold",) if gating else ("dim",)
    line = f"{MARGIN}{sign} {screen.paint(label, *weight)}{GAP}{screen.paint(values, *plain)}"
    if row.plot is None or not columns.bar:
        return line
    return line + GAP + draw(row.plot, columns.bar, screen, tone if gating else "dim")


def _legend(rows: tuple[Row, ...], comparison: Comparison, screen: Screen) -> list[str]:
    plots = [row.plot for row in rows if row.plot is not None]
    room = screen.width - len(MARGIN)
    signs = wrap("   ".join(_legend_entries(plots, screen)), room) if plots else []
    rule = wrap(screen.text(verdict_rule(comparison)), room)
    return [MARGIN + screen.paint(line, "dim") for line in (*signs, *rule)]


def _legend_entries(plots: list[Plot], screen: Screen) -> list[str]:
    signs = screen.signs
    drawn = {mark.name for plot in plots for mark in plot.marks if mark.at != 0.0}
    arrows = {plot.worse_is_right for plot in plots}
    arrow = " ".join(sign for sign, right in ((signs.left, False), (signs.right, True)) if right in arrows)
    entries = [
        f"{signs.zero} {_origin(plots)}",
        *(f"{LETTERS[name]} {meaning}" for name, meaning in MEANINGS.items() if name in drawn),
        f"{arrow} points to worse",
    ]
    return [entry.replace(" ", NO_BREAK) for entry in entries]


def _origin(plots: list[Plot]) -> str:
    kinds = {plot.is_from_limit for plot in plots}
    return " or ".join(name for kind, name in ORIGINS.items() if kind in kinds)
