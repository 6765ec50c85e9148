# SPDX-License-Identifier: Apache-2.0
"""Migrations come in; the constraints of their tables go out, each with its table and as it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)\n\);", re.MULTILINE | re.DOTALL)
_OF_TABLE = re.compile(r"(PRIMARY KEY|UNIQUE|FOREIGN KEY|CHECK) \(")
_OF_COLUMN = re.compile(r"(\w+) .*?\b(?:(PRIMARY KEY|UNIQUE)|(CHECK \(.*\)))", re.DOTALL)
# A column's type is no part of what is compared; one of them has two words.
_CAST = re.compile(r"::(?:double precision|(?:\w+\.)?\w+)")


def constraints(migrations: str) -> Iterator[tuple[str, str]]:
    """Yield the table and the definition of each constraint."""
    for table, body in _TABLE.findall(migrations):
        for part in _parts(body):
            if _OF_TABLE.match(part):
                yield table, part
            elif found := _OF_COLUMN.match(part):
                column, key, check = found.groups()
                yield table, check or f"{key} ({column})"


def plain(definition: str) -> str:
    """Return a constraint as it is written in our files, or shown by PostgreSQL, without that in which they differ.

    None of ours needs its parentheses to mean what it does: a test holds them to comparisons joined by AND alone.
    """
    return " ".join(re.sub(r'[()"]', " ", _CAST.sub("", definition)).replace(" ,", ",").split())


def _parts(body: str) -> Iterator[str]:
    """Yield what stands between the commas of a table's definition, but for those in parentheses."""
    part, depth = "", 0
    for each in f"{body},":
        depth += (each == "(") - (each == ")")
        if each == "," and depth == 0:
            yield " ".join(part.split())
            part = ""
        else:
            part += each
