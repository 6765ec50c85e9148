# SPDX-License-Identifier: Apache-2.0
"""The declarations of this folder come in; which modules are tried by which tests, and what may survive, goes out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Module:
    """A module that decides trust, the tests that hold it, and which part of its mutants they must notice."""

    path: str
    tests: tuple[str, ...]
    bound: float


def modules() -> tuple[Module, ...]:
    """Return what is declared in trust.toml, in its order."""
    read = tomllib.loads((FOLDER / "trust.toml").read_text(encoding="utf-8"))
    return tuple(
        Module(f"src/lockgate/{path}", tuple(f"tests/{each}" for each in group["tests"]), bound)
        for group in read["group"]
        for path, bound in group["modules"].items()
    )


def equivalents() -> dict[str, str]:
    """Return why each mutant that is no fault is none, by its name."""
    read = tomllib.loads((FOLDER / "equivalent.toml").read_text(encoding="utf-8"))
    return {
        f"src/lockgate/{path}::{change}": reason
        for path, changes in read.items()
        for reason, names in changes.items()
        for change in names
    }
