# SPDX-License-Identifier: Apache-2.0
"""The schema for PostgreSQL comes in; what is compared without its parentheses must need none of them."""

from __future__ import annotations

import re

import pytest

from lockgate.adapters.stores.postgres.guards import made

# Comparisons that are joined by AND have one meaning, wherever parentheses stand: any other is none by its types.
AMBIGUOUS = re.compile(r"\b(?:or|not(?! null)|between|case|like|in)\b|[-+*/%]|\|\|")


def condition(kind: str, written: str) -> str:
    """Return what is said of rows: before that a trigger names its events, with OR between them."""
    whole = re.sub(r"'[^']*'", "''", written.lower())
    return whole.partition(" for each ")[2] if kind == "trigger" else whole


@pytest.mark.clause("LI-718")
def test_no_condition_of_the_schema_needs_its_parentheses() -> None:
    """One that does would be equal to another that means something else: a AND (b OR c), (a AND b) OR c."""
    conditions = [
        condition(kind, written) for kind, _, written in made() if kind in ("constraint", "index", "policy", "trigger")
    ]

    assert len(conditions) > 40
    assert [each for each in conditions if AMBIGUOUS.search(each)] == []


@pytest.mark.clause("LI-718")
@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("constraint", "looks CHECK a >= 0 AND b >= 0 OR c >= 0"),
        ("constraint", "looks CHECK NOT a = 0 AND b = 0"),
        ("index", "looks (org) a - b - c = 0"),
        ("trigger", "looks create trigger t before insert or update on looks for each row when a is null or b is null"),
    ],
)
def test_a_condition_that_needs_its_parentheses_is_found(kind: str, written: str) -> None:
    """Whatever it stands in."""
    assert AMBIGUOUS.search(condition(kind, written))
