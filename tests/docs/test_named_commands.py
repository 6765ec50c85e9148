# SPDX-License-Identifier: Apache-2.0
"""Errors, helps and pages come in; every command, option and page that one of them names must be there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lockgate.cli.main import lockgate
from tests.docs.test_pages import FENCED, GENERATED, PAGES, ROOT

SOURCES = sorted((ROOT / "src" / "lockgate").rglob("*.py"))
TEMPLATES = sorted(each for kind in ("*.j2", "*.txt", "*.sh") for each in (ROOT / "src" / "lockgate").rglob(kind))
NAMED_PAGE = re.compile(r"\bdocs/[\w/.-]*\w")
IN_TICKS = re.compile(r"`lockgate ([^`]+)`")
IN_BLOCK = re.compile(r"(?:^|[$(|] ?|&& )lockgate ([^\n|;&<>)#]+)", re.MULTILINE)
# Where an argument or what stands for one begins; a command is written in small letters.
COMMAND = re.compile(r"[a-z][a-z-]*")
OPTION = re.compile(r"(--[a-z][a-z-]*)\b")
# Of an argument that is not known when the sentence is written.
ANY = "X"


def texts(source: Path) -> Iterator[str]:
    """Yield the texts of a module, whole, where what is put into them is any word."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values)


def said() -> Iterator[tuple[str, str]]:
    """Yield where something is said, and what."""
    for source in SOURCES:
        yield from ((source.relative_to(ROOT).as_posix(), text) for text in texts(source))
    for page in (*TEMPLATES, *PAGES):
        text = page.read_text(encoding="utf-8")
        if not text.startswith(GENERATED):
            yield page.relative_to(ROOT).as_posix(), text


def calls() -> Iterator[tuple[str, str]]:
    """Yield where a command is named, and how."""
    for place, text in said():
        yield from ((place, match[1]) for match in IN_TICKS.finditer(text.replace("\n", " ")))
        if place.endswith(".md"):
            blocks = (match[0].replace("\\\n", " ") for match in FENCED.finditer(text))
            yield from ((place, match[1]) for block in blocks for match in IN_BLOCK.finditer(block))


def unknown(call: str) -> str | None:
    """Return the first word of a call that no command or option has; None where all are there."""
    context = click.Context(lockgate)
    command: click.Command = lockgate
    words = call.split()
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0]) if COMMAND.fullmatch(words[0]) else None
        if found is None:
            break
        command, words = found, words[1:]
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        # Of a command that is put in when the sentence is said nothing is known.
        return words[0] if COMMAND.fullmatch(words[0]) else None
    has = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}
    ours = words[: words.index("--")] if "--" in words else words
    return next((each for word in ours for each in OPTION.findall(word.split("=")[0]) if each not in has), None)


@pytest.mark.clause("LI-668")
def test_every_command_that_is_named_is_there() -> None:
    """With each option that stands beside it: whoever is sent somewhere arrives."""
    found = list(calls())

    assert len(found) > 500
    assert [f"{place}: lockgate {call}: no {word}" for place, call in found if (word := unknown(call))] == []


@pytest.mark.clause("LI-668")
def test_every_page_that_is_named_is_there() -> None:
    """Code, helps and errors name pages by their path."""
    named = {(place, match[0]) for place, text in said() for match in NAMED_PAGE.finditer(text)}

    assert len(named) > 10
    assert [each for each in sorted(named) if not (ROOT / each[1]).exists()] == []


@pytest.mark.clause("LI-668")
@pytest.mark.parametrize("call", ["nothing", "keys nothing", "show --nothing", "keys list --id X"])
def test_what_is_not_there_is_found(call: str) -> None:
    """The check itself is tried."""
    assert unknown(call) is not None
