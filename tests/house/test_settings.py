# SPDX-License-Identifier: Apache-2.0
"""The tree comes in; every variable of the environment that it names must be in the one table of settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.cli.settings import FOREIGN, HANDED, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src", "docs", "examples", "tools", "bench", ".github")
KINDS = (".py", ".md", ".sh", ".yml", ".yaml", ".toml", ".service", ".conf", ".env")
# A variable that starts with another letter is another's, such as click's own for completion.
NAMES = re.compile(r"(?<![A-Z0-9_])LOCKGATE_[A-Z0-9]+(?:_[A-Z0-9]+)*")
LOOKED_UP = re.compile(r"environ(?:ment)?(?:\.get\(|\[)(?:([A-Z_]+)|\"([A-Z_]+)\")")
ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9_]+")
# Where a program's environment is made.
HANDING = Path("src", "lockgate", "adapters", "actuators", "command.py")
# What an example names for itself.
OF_EXAMPLES = {"LOCKGATE_PASSWORD", "LOCKGATE_PACKAGE"}


def _texts() -> Iterator[tuple[str, str]]:
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    for path in [*paths, ROOT / "README.md", ROOT / "Makefile"]:
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.clause("SV-32")
def test_every_variable_is_in_the_table() -> None:
    """Whoever reads of one anywhere finds what it means."""
    known = {each.name for each in (*SETTINGS, *HANDED)} | OF_EXAMPLES

    # Of what may be given several times the others are numbered.
    named = {(path, re.sub(r"_\d+$", "", name)) for path, text in _texts() for name in NAMES.findall(text)}
    unknown = {f"{name} in {path}" for path, name in named if name not in known}

    assert unknown == set()


def _read_names() -> Iterator[tuple[str, str]]:
    """Yield each variable that a module looks up in the environment, by its text or by the constant that it is in."""
    paths = [*(ROOT / "src").rglob("*.py")]
    constants: dict[str, str] = {}
    for path in paths:
        for statement in ast.parse(path.read_text("utf-8")).body:
            constants.update(_constants(statement))
    for path in paths:
        for word, text in LOOKED_UP.findall(path.read_text("utf-8")):
            name = text or constants.get(word, "")
            if ENVIRONMENT.fullmatch(name):
                yield name, path.relative_to(ROOT).as_posix()


def _constants(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    if not isinstance(statement, ast.Assign):
        return
    target, value = statement.targets[0], statement.value
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=True))
    for named, given in pairs:
        if isinstance(named, ast.Name) and isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield named.id, given.value


@pytest.mark.clause("SV-32")
def test_every_variable_that_is_looked_up_is_in_the_table() -> None:
    """Those of other standards too."""
    known = {each.name for each in (*SETTINGS, *FOREIGN)}
    found = set(_read_names())

    assert {"NO_COLOR", "LOCKGATE_URL", "XDG_STATE_HOME"} <= {name for name, _ in found}
    assert {f"{name} in {path}" for name, path in found if name not in known} == set()


@pytest.mark.clause("SV-32")
def test_every_row_of_the_table_is_read() -> None:
    """A setting that nothing reads is no setting; a program that moves traffic is handed all that is said."""
    table = ROOT / "src" / "lockgate" / "cli" / "settings.py"
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py") if path != table)

    assert [each.name for each in (*SETTINGS, *FOREIGN) if not re.search(rf"\b{each.name}\b", source)] == []
    handed = re.findall(r'^        "([A-Z]+)":', (ROOT / HANDING).read_text("utf-8"), re.MULTILINE)
    assert [each.name for each in HANDED] == [f"LOCKGATE_{name}" for name in handed]
    names = [each.name for each in (*SETTINGS, *FOREIGN, *HANDED)]
    assert len(set(names)) == len(names)
