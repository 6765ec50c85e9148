# SPDX-License-Identifier: Apache-2.0
"""What the studies measured comes in; a Markdown table, and a page with it between its markers, goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

TITLES = (
    "runs per bucket",
    "baseline",
    "candidate",
    "full exposure",
    "rolled back",
    "of these at the first step",
    "median candidate runs to full exposure",
    "to rollback",
    "promised",
)
_BLOCK = r"<!-- studies:{name} -->\n.*?<!-- end -->\n"


def filled(page: str, measured: Mapping[str, Any]) -> str:
    """Return the page with the tables of what was measured."""
    said = f"{measured['rollouts']:,} rollouts in each row.\n\n"
    for name, key, columns in (("flow", "flows", len(TITLES)), ("late", "late", len(TITLES) - 1)):
        lines = [_line(TITLES[:columns]), _line(["---"] * columns)]
        lines += [_line(_cells(row)[:columns]) for row in measured[key]]
        block = f"<!-- studies:{name} -->\n{said}{''.join(lines)}<!-- end -->\n"
        page = re.sub(_BLOCK.format(name=name), block, page, flags=re.DOTALL)
    return page


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    is_harmed = row["candidate"] > row["baseline"]
    return (
        f"{row['runs']:,}",
        f"{100 * row['baseline']:g} %",
        f"{100 * row['candidate']:g} %",
        _percent(row["full"]),
        _percent(row["rolled_back"]),
        _percent(row["at_first_step"]),
        _runs(row["runs_to_full"]),
        _runs(row["runs_to_rollback"]),
        "full exposure <= 5 %" if is_harmed else "full exposure >= 92 %",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _runs(runs: float | None) -> str:
    return "-" if runs is None else f"{runs:,.0f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
