# SPDX-License-Identifier: Apache-2.0
"""The text of a container file comes in; its instructions, in order, and the words of those that are lists go out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction with what follows it, its continued lines as one."""
    whole = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in whole.splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, rest.strip()


def stages(text: str) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, which begins with its FROM."""
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions(text):
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def words(stage: list[tuple[str, str]], name: str) -> list[str]:
    """Return the words of the one instruction of a name that is written as a list."""
    (only,) = [rest for each, rest in stage if each == name]
    listed: list[str] = json.loads(only)
    return listed


def environment(stage: list[tuple[str, str]]) -> dict[str, str]:
    """Return what a stage sets."""
    return dict(pair.split("=", 1) for name, rest in stage if name == "ENV" for pair in rest.split())
