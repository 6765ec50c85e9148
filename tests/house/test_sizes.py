# SPDX-License-Identifier: Apache-2.0
"""The project's Python files come in; those longer than their room's budget must be none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "tools", "examples", "bench")
# The longest matching prefix counts.
FILE_LINES = {
    "src/lockgate/core/": 250,
    "src/lockgate/operations/": 250,
    "src/lockgate/ports/": 100,
    "src/lockgate/wiring.py": 300,
    "src/": 350,
    "tests/": 500,
    "": 350,
}
FUNCTION_LINES = 40
# "path" or "path::function": why it may be longer.
EXCEPTIONS: dict[str, str] = {}


def _files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def _budget(name: str) -> int:
    return FILE_LINES[max((prefix for prefix in FILE_LINES if name.startswith(prefix)), key=len)]


def _function_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def _too_long(path: Path) -> Iterator[tuple[str, int, int]]:
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > _budget(name):
        yield name, lines, _budget(name)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _function_lines(node) > FUNCTION_LINES:
            yield f"{name}::{node.name}", _function_lines(node), FUNCTION_LINES


@pytest.mark.clause("HO-03")
def test_files_and_functions_keep_their_budgets() -> None:
    """A reader holds a file, and a function, in mind at once."""
    offenders = {
        name: f"{lines} lines, budget {budget}" for path in _files() for name, lines, budget in _too_long(path)
    }

    assert {name: text for name, text in offenders.items() if name not in EXCEPTIONS} == {}


@pytest.mark.clause("HO-03")
def test_every_exception_is_still_needed_and_has_a_reason() -> None:
    """An exception goes when its file has shrunk."""
    offenders = {name for path in _files() for name, _, _ in _too_long(path)}

    assert {name for name, reason in EXCEPTIONS.items() if name not in offenders or len(reason.split()) < 3} == set()


@pytest.mark.clause("HO-03")
def test_a_long_function_is_seen(tmp_path: Path) -> None:
    """The measure counts statements' lines and leaves the docstring out."""
    body = "\n".join(f"    x{number} = {number}" for number in range(FUNCTION_LINES))
    source = f'def long():\n    """One.\n\n    Two.\n    """\n{body}\n'

    function = ast.parse(source).body[0]

    assert isinstance(function, ast.FunctionDef)
    assert _function_lines(function) == FUNCTION_LINES + 1
