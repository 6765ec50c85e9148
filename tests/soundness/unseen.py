# SPDX-License-Identifier: Apache-2.0
"""The page on backups comes in; what it names as unseen by fsck goes out: of each table columns, and rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "backup.md"
ROWS = "rows"
_LINE = re.compile(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| ([^|]+) \|", re.MULTILINE)


def named() -> Mapping[str, set[str]]:
    """Return of each table what the page says that nobody sees: names of columns, and `rows` where one is gone."""
    part = PAGE.read_text(encoding="utf-8").split("## What fsck cannot see", 1)[1].split("\n## ", 1)[0]
    found: dict[str, set[str]] = defaultdict(set)
    for tables, what in _LINE.findall(part):
        for table in re.findall(r"`(\w+)`", tables):
            found[table].update(re.findall(r"`(\w+)`", what), {ROWS} if "rows" in what else ())
    return found
