# SPDX-License-Identifier: Apache-2.0
"""Measured rows come in; Markdown tables, and a page with them between its markers, go out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Column = tuple[str, str, Callable[[Any], str]]


def _text(value: object) -> str:
    return str(value)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _rate(value: float) -> str:
    return f"{100 * value:g} %"


def _runs(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


COLUMNS: dict[str, tuple[Column, ...]] = {
    "false_rollback": (
        ("method", "method", _text),
        ("two equal releases", "law", _text),
        ("candidate/baseline runs per bucket", "split", _text),
        ("false rollback", "observed", _percent),
        ("with step restarts", "with_restarts", _percent),
    ),
    "looks": (
        ("rule", "rule", _text),
        ("candidate/baseline runs per tick", "split", _text),
        ("10 ticks", "at_10", _percent),
        ("50", "at_50", _percent),
        ("200", "at_200", _percent),
        ("1,000", "at_1000", _percent),
    ),
    "drift": (
        ("base rate of both releases", "base", _text),
        ("method B", "observed", _percent),
        ("with step restarts", "with_restarts", _percent),
        ("Newcombe 95 % over all runs so far, at every tick", "pooled", _percent),
    ),
    "units": (
        ("correlation of a unit's runs", "icc", _text),
        ("what is counted", "counted", _text),
        ("false rollback", "observed", _percent),
    ),
    "rollouts": (
        ("promotion rule", "rule", _text),
        ("runs per tick", "runs", _text),
        ("baseline", "baseline", _rate),
        ("candidate", "candidate", _rate),
        ("rolled back", "rollback", _percent),
        ("full exposure", "full", _percent),
        ("median candidate runs to full exposure", "runs_to_full", _runs),
        ("to rollback", "runs_to_rollback", _runs),
    ),
    "power": (
        ("method", "method", _text),
        ("change", "change", _text),
        ("candidate/baseline runs per bucket", "split", _text),
        ("median candidate runs to rollback", "median", _runs),
        ("80th percentile", "p80", _runs),
        ("one look, 80 % power", "fixed", _runs),
    ),
}
_BLOCK = re.compile(r"<!-- calibration:(?P<name>\w+) -->\n.*?<!-- end -->\n", re.DOTALL)


def table(section: str, rows: Sequence[Row]) -> str:
    """Return the Markdown table of a section; its last column is the bound of each row, where there is one."""
    columns = COLUMNS[section]
    is_bound = any(row["checks"] for row in rows)
    titles = [title for title, _, _ in columns] + (["bound"] if is_bound else [])
    lines = [_line(titles), _line(["---"] * len(titles))]
    for row in rows:
        cells = [form(row["cells"][key]) for _, key, form in columns]
        lines.append(_line(cells + ([_bounds(row)] if is_bound else [])))
    return "\n".join(lines) + "\n"


def filled(page: str, document: Mapping[str, Any]) -> str:
    """Return the page with every marked block replaced by what was measured."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        content = _summary(document) if name == "run" else table(name, document["sections"][name])
        return f"<!-- calibration:{name} -->\n{content}<!-- end -->\n"

    return _BLOCK.sub(block, page)


def write(page: Path, document: Mapping[str, Any]) -> None:
    """Rewrite the page's marked blocks."""
    page.write_text(filled(page.read_text(encoding="utf-8"), document), encoding="utf-8")


def _summary(document: Mapping[str, Any]) -> str:
    checks = [check for rows in document["sections"].values() for row in rows for check in row["checks"]]
    kept = sum(check["holds"] for check in checks)
    return (
        f"{document['replicates']:,} replicates, {document['buckets']:,} buckets, seed {document['seed']}: "
        f"{kept} of {len(checks)} bounds kept.\n"
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _bounds(row: Row) -> str:
    seen = {(check["relation"], check["bound"], _name(check["what"])) for check in row["checks"]}
    return ", ".join(f"{name}{relation} {_limit(bound)}" for relation, bound, name in sorted(seen, key=str))


def _name(what: str) -> str:
    """Return how a bound is named beside its number: nothing where the row has but one kind of it."""
    for word in ("full exposure", "median candidate runs", "pooled rule"):
        if word in what:
            return f"{word} "
    return ""


def _limit(bound: float) -> str:
    return f"{bound:,.0f}" if bound > 1.0 else f"{100 * bound:.2g} %"
