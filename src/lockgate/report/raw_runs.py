# SPDX-License-Identifier: Apache-2.0
"""Raw runs come in; a line of a terminal for each, with what it says, goes out."""

from __future__ import annotations

import json
from typing import Any

from lockgate.core.instant import instant_text
from lockgate.operations.asking.example_runs import Example, Examples
from lockgate.report.screen import Screen
from lockgate.report.text import pad

MAX_ID, MAX_RELEASE, MAX_VALUE = 36, 40, 60
LEADING = ("app_id", "release", "status", "run_id", "started_at")
NOT_COUNTED = "[not counted: another run had its id]"
GROUPS = ("scores", "labels", "flags")


def render_raw_runs(found: Examples, screen: Screen) -> str:
    """Return raw runs, and from when on they are kept."""
    lines = [_line(each, screen) for each in found.runs]
    if not lines:
        lines.append("No such run is kept.")
    if found.is_cut:
        lines.append("Earlier batches were not looked through; --since and --release narrow the search.")
    if found.until:
        lines.append(f"No raw runs are kept from before {instant_text(found.until)}, but for those that are pinned.")
    return "\n".join(lines) + "\n"


def _line(example: Example, screen: Screen) -> str:
    record = example.record
    head: tuple[str, ...] = (
        _shown(record.get("started_at") or instant_text(example.came_at), screen, MAX_ID),
        pad(_shown(record.get("release"), screen, MAX_RELEASE), 9),
        pad(_shown(record.get("status", "-"), screen, MAX_RELEASE), 9),
        _shown(record.get("run_id", "-"), screen, MAX_ID),
    )
    if not example.is_counted:
        head = (*head, NOT_COUNTED)
    rest = " ".join(f"{screen.text(name, MAX_VALUE)}={_shown(value, screen)}" for name, value in _flat(record))
    return f"{'  '.join(head)}  {rest}".rstrip()


def _flat(record: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in record.items():
        if name in LEADING or value is None:
            continue
        if name in GROUPS and isinstance(value, dict):
            found += [(f"{name}.{member}", each) for member, each in value.items() if each is not None]
        else:
            found.append((name, value))
    return found


def _shown(value: object, screen: Screen, columns: int = MAX_VALUE) -> str:
    return screen.text(value if isinstance(value, str) else json.dumps(value), columns)
