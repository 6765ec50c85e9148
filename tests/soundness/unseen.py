# SPDX-License-Identifier: Apache-2.0
"""The page on backups comes in; what it names as unseen by fsck goes out: of each table columns, and rows.

Some of it only a change shows that is made for it: of an open bucket, or of one member of a row.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "backup.md"
ROWS = "rows"
_LINE = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| ([^|]+) \|", re.MULTILINE)
Cell = tuple[str, str]
# Of files, by `moved` and `swapped` below.
MADE: Mapping[Cell, str] = {
    ("rollouts", "place"): "UPDATE rollouts SET rowid = rowid + 1000 WHERE rowid = 1",
    ("messages", "place"): "UPDATE messages SET place = place + 1000 WHERE place = 1",
    ("deliveries", "place"): "UPDATE deliveries SET rowid = rowid + 1000 WHERE rowid = 1",
    ("api_keys", "place"): "UPDATE api_keys SET rowid = rowid + 1000",
    ("trust_rules", "place"): "UPDATE trust_rules SET rowid = rowid + 1000",
    ("id_window", "place"): "UPDATE id_window SET place = place + 1000",
    ("slots", "opened_at"): "UPDATE slots SET opened_at = opened_at + 1 WHERE sealed_at IS NULL",
    ("slots", "seals_at"): "UPDATE slots SET seals_at = seals_at + 1 WHERE sealed_at IS NULL",
    ("tallies", "place"): "UPDATE tallies SET place = place + 1000 WHERE app = 'web'",
    ("tallies", "body"): (
        "UPDATE tallies SET body = (SELECT body FROM tallies t WHERE t.app = 'web' ORDER BY place LIMIT 1)"
        " WHERE place = (SELECT place FROM tallies t WHERE t.app = 'web' ORDER BY place LIMIT 1 OFFSET 1)"
    ),
    ("pairs", ROWS): "DELETE FROM pairs WHERE number = 3",
    ("pairs", "first"): "UPDATE pairs SET first = 'v0' WHERE number = 3",
    ("pairs", "second"): "UPDATE pairs SET second = 'v9' WHERE number = 3",
    ("pairs", "labels"): "UPDATE pairs SET labels = x'81a161a162' WHERE number = 3",
    ("pairs", "body"): "UPDATE pairs SET body = (SELECT body FROM pairs WHERE number = 0) WHERE number = 3",
    ("deliveries", "body"): "UPDATE deliveries SET body = moved(body, 'tried_at') WHERE rowid = 1",
    ("endpoints", "body"): "UPDATE endpoints SET body = moved(body, 'failing_since') WHERE rowid = 2",
    ("api_keys", "body"): "UPDATE api_keys SET body = swapped(body, 'rollout.read', 'rollout.tick')",
}


def named() -> Mapping[str, set[str]]:
    """Return of each table what the page says that nobody sees: names of columns, and `rows` where one is gone."""
    part = PAGE.read_text(encoding="utf-8").split("## What fsck cannot see", 1)[1].split("\n## ", 1)[0]
    found: dict[str, set[str]] = {}
    for tables, what in _LINE.findall(part):
        for table in re.findall(r"`(\w+)`", tables):
            found.setdefault(table, set()).update(re.findall(r"`(\w+)`", what), {ROWS} if "rows" in what else ())
    return found


def named_cells() -> set[Cell]:
    """Return the same as pairs of a table and a column."""
    return {(table, column) for table, columns in named().items() for column in columns}


def add_functions(file: sqlite3.Connection) -> None:
    """Let statements change a member of a packed row: the whole number behind a name, or one text to another."""
    file.create_function("moved", 2, _moved, deterministic=True)
    file.create_function("swapped", 3, _swapped, deterministic=True)


def _moved(body: bytes, name: str) -> bytes:
    at = body.index(name.encode()) + len(name)
    # A whole number is packed as itself, or as a mark and eight bytes.
    last = at + 8 if body[at] == 0xCF else at
    return body[:last] + bytes([body[last] ^ 1]) + body[last + 1 :]


def _swapped(body: bytes, was: str, now: str) -> bytes:
    assert was.encode() in body
    return body.replace(was.encode(), now.encode())
