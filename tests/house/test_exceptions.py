# SPDX-License-Identifier: Apache-2.0
"""The source files come in; an exception to a rule of the lint or of the types that does not say why is held here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "tests", "tools", "examples", "bench")
CODE = r"[A-Z]+\d+"
MARK = re.compile(rf"#\s*(?:ruff:\s*)?noqa(?P<codes>:\s*{CODE}(?:,\s*{CODE})*)?(?P<rest>.*)", re.IGNORECASE)
UNTYPED = re.compile(r"#\s*type:\s*ignore(?P<codes>\[[a-z-]+(?:,\s*[a-z-]+)*\])?(?P<rest>.*)", re.IGNORECASE)


def _silent(text: str) -> Iterator[int]:
    """Yield the numbers of lines that are excepted from everything, or for no reason."""
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, reason in ((MARK, r" -- \w"), (UNTYPED, r"  # \w")):
            mark = kind.search(line)
            if mark and not (mark["codes"] and re.match(reason, mark["rest"])):
                yield number


def test_an_exception_gives_its_reason() -> None:
    """Whoever reads a line that the lint, or mypy, does not like is told why it stays."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path != Path(__file__)]

    silent = [
        f"{path.relative_to(ROOT).as_posix()}:{number}"
        for path in files
        for number in _silent(path.read_text(encoding="utf-8"))
    ]

    assert files
    assert silent == []


@pytest.mark.parametrize(
    "line",
    [
        "x = 1  # noqa",
        "x = 1  # noqa: S608",
        "x = 1  # NOQA: S608 -- ",
        "# ruff: noqa: S608",
        "x = 1  # type: ignore",
        "x = 1  # type: ignore[misc]",
        "x = 1  # type: ignore[misc]  # ",
        "x = 1  # type: ignore  # it is so",
    ],
)
def test_an_exception_without_a_reason_is_seen(line: str) -> None:
    """The check reads what it is about."""
    assert list(_silent(f"y = 0\n{line}\n")) == [2]
