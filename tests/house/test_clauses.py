# SPDX-License-Identifier: Apache-2.0
"""The clauses of docs/spec.md and the markers of the tests come in; each must know the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAUSE = re.compile(r"^(?:- )?\*\*([A-Z]{2}-\d{2,4})\*\*", re.MULTILINE)


def _written() -> list[str]:
    return CLAUSE.findall((ROOT / "docs" / "spec.md").read_text(encoding="utf-8"))


def _named(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.clause":
            yield from (ast.literal_eval(argument) for argument in node.args)


def _tested() -> set[str]:
    return {clause for path in (ROOT / "tests").rglob("*.py") for clause in _named(path.read_text(encoding="utf-8"))}


@pytest.mark.clause("HO-05")
def test_every_clause_has_a_test() -> None:
    """What the specification says is held by at least one test that names it."""
    assert set(_written()) - _tested() == set()


@pytest.mark.clause("HO-05")
def test_every_test_names_a_clause_that_is_written() -> None:
    """A marker points at a sentence that a person can read."""
    assert _tested() - set(_written()) == set()


@pytest.mark.clause("HO-05")
def test_a_clause_is_written_once() -> None:
    """A number means one rule."""
    written = _written()

    assert written
    assert [number for number in set(written) if written.count(number) > 1] == []


@pytest.mark.clause("HO-05")
def test_a_clause_stands_where_the_comparison_finds_it() -> None:
    """A bold number that opens no line would be read by people and by no test."""
    bold = re.findall(r"\*\*([A-Z]{2}-\d+)\*\*", (ROOT / "docs" / "spec.md").read_text(encoding="utf-8"))

    assert bold == _written()


@pytest.mark.clause("HO-05")
def test_every_test_under_spec_names_its_clauses() -> None:
    """A test of the specification says which sentence it holds, by its own marker or its module's."""
    modules = {
        path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "spec").rglob("test_*.py")
    }

    unmarked = [
        f"{path.name}::{node.name}"
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if not any("mark.clause" in ast.unparse(decorator) for decorator in node.decorator_list)
        if not any(isinstance(line, ast.Assign) and "mark.clause" in ast.unparse(line) for line in tree.body)
    ]

    assert unmarked == []
