# SPDX-License-Identifier: Apache-2.0
"""The tree comes in; every variable of the environment that it names must be in the one table of settings."""

from __future__ import annotations

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

    unknown = {f"{name} in {path}" for path, text in _texts() for name in NAMES.findall(text) if name not in known}

    assert unknown == set()


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
