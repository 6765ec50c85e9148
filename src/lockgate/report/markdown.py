# SPDX-License-Identifier: Apache-2.0
"""A comparison comes in; a comment for a pull request, in GitHub's and GitLab's Markdown, goes out."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from lockgate.core.comparison import Comparison
from lockgate.core.finding import Outcome
from lockgate.report import number
from lockgate.report.bar import draw
from lockgate.report.headline import arm_names, headline, verdict_rule
from lockgate.report.row import Row, gate_rows, outcome_words, shown_rows
from lockgate.report.screen import Screen
from lockgate.report.text import NO_BREAK, printable, shorten

EMBLEMS = {
    Outcome.REGRESSED: "❌",
    Outcome.UNAVAILABLE: "⚠️",
    Outcome.INSUFFICIENT: "⏳",
    Outcome.CLEAN: "✅",
    Outcome.PROVEN: "✅",
    Outcome.NOT_APPLICABLE: "➖",
}
BAR_COLUMNS = 25
BAR_SIGNS = "In a bar, `│` is no difference (or the limit), `t` the tolerance; `d` and `m` bound clean and proven."
NAME_COLUMNS = 80
JUDGED = ("app", "alpha", "min_runs", "gates")
# What a code span can carry anywhere, also in a table's cell.
_TAME = re.compile(r"[A-Za-z0-9_.,:;=/+@#()\[\]-]([A-Za-z0-9_.,:;=/+@#()\[\] -]*[A-Za-z0-9_.,:;=/+@#()\[\]-])?")
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")


def render_markdown(comparison: Comparison, command: str) -> str:
    """Return the comparison as a comment: the sentence, a table of gates, and folded details."""
    heads = ("", "gate", *_arms(comparison), "difference", "interval")
    parts = [
        f"### {EMBLEMS[comparison.outcome]} Lockgate: {outcome_words(comparison.outcome)}",
        f"**{prose(headline(comparison))}**",
        _table(heads, [_cells(row) for row in gate_rows(comparison)]),
        "\n".join(_reason(row) for row in gate_rows(comparison)),
        *(prose(note) for note in comparison.notes),
        *_details(comparison, command),
    ]
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Return foreign text as code: no mention, no link, no markup, no broken table."""
    safe = shorten(printable(text), NAME_COLUMNS)
    if _TAME.fullmatch(safe):
        return f"`{safe}`"
    body = "".join(char if char.isascii() and char.isalnum() else f"&#{ord(char)};" for char in safe)
    return f"<code>{body}</code>"


def prose(text: str) -> str:
    """Return foreign text as plain words, with everything that Markdown or a forge would act on taken out."""
    safe = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _SPECIAL.sub(r"\\\1", safe)
    # A forge links an address and calls a person or an issue unless the sign stands apart from the word.
    return re.sub(r"(@|:(?=//)|www\.|#(?=\d))", lambda match: f"{match[0]}&#8203;", escaped)


def _arms(comparison: Comparison) -> list[str]:
    return [code(name) for name in arm_names(comparison, NAME_COLUMNS)]


def _cells(row: Row) -> tuple[str, ...]:
    bar = f"`{draw(row.plot, BAR_COLUMNS, Screen(), 'dim')}`" if row.plot else ""
    interval = f"{_still(row.interval)}<br>{bar}" if row.interval else number.MISSING
    label = code(row.label)
    return (EMBLEMS[row.outcome], label, _still(row.baseline), _still(row.candidate), _still(row.difference), interval)


def _reason(row: Row) -> str:
    return f"- {code(row.label)} **{outcome_words(row.outcome)}**: {prose(row.reason)}"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    marks = ["---" if index < 2 or index > 4 else "---:" for index in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows))


def _details(comparison: Comparison, command: str) -> list[str]:
    sizes = ", ".join(f"{code(name)} {number.write_count(runs, 'run')}" for name, runs in comparison.sizes.items())
    heads = ("", "metric", *_arms(comparison), "difference", "interval")
    shown = [("", *_cells(row)[1:]) for row in shown_rows(comparison)]
    more = [_table(heads, shown)] if shown else []
    # What only a rollout uses would bury what was judged.
    whole = comparison.policy.document()
    policy = json.dumps({name: whole[name] for name in JUDGED}, indent=2)
    return [
        "<details><summary>More: sizes, other metrics, gates, how to reproduce</summary>",
        f"Runs: {sizes}.",
        *more,
        f"{prose(verdict_rule(comparison))} {BAR_SIGNS}",
        _block("sh", command),
        _block("json", policy),
        f"Policy {comparison.policy.digest()}.",
        "</details>",
    ]


def _block(language: str, body: str) -> str:
    lines = "\n".join(printable(line) for line in body.split("\n"))
    longest = max((len(run) for run in re.findall(r"`+", lines)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{lines}\n{fence}"


def _still(text: str) -> str:
    return text.replace(NO_BREAK, "&nbsp;")
