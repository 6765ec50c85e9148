# SPDX-License-Identifier: Apache-2.0
"""`requirements.lock` and the name of a dependency group, or none, come in; the hashed pins of it go out.

The lock file holds every group.
Its `# via` annotations are the dependency graph, so a group is what can be reached from its roots.
This file uses only the standard library: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
PROJECT_ROOT = "(pyproject.toml)"
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==")


@dataclass(frozen=True)
class Pin:
    """One locked package: its name, its lines with hashes, and who asked for it."""

    name: str
    lines: tuple[str, ...]
    via: frozenset[str]


def read_pins(text: str) -> list[Pin]:
    """Split a lock file into its pins; a package may be pinned twice under exclusive markers."""
    return [_pin(lines) for lines in _blocks(text)]


def part(pins: list[Pin], group: str | None = None) -> list[Pin]:
    """Return the pins that the project, and one of its dependency groups, need, in the lock's order."""
    roots = {f"lockgate {PROJECT_ROOT}", f"lockgate (pyproject.toml:{group})"}
    if group is not None and not any(f"lockgate (pyproject.toml:{group})" in pin.via for pin in pins):
        raise SystemExit(f"requirements.lock has no group {group!r}; run `make lock`")
    wanted = {pin.name for pin in pins if pin.via & roots}
    while more := {pin.name for pin in pins if pin.via & wanted} - wanted:
        wanted |= more
    return [pin for pin in pins if pin.name in wanted]


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.splitlines():
        if PIN.match(line):
            if block:
                yield block
            block = [line]
        elif block:
            block.append(line)
    if block:
        yield block


def _pin(lines: list[str]) -> Pin:
    match = PIN.match(lines[0])
    if match is None or not any("--hash=sha256:" in line for line in lines):
        raise SystemExit(f"requirements.lock: no version or no hash in {lines[0]!r}; run `make lock`")
    comments = [line.strip().removeprefix("#").strip() for line in lines if line.lstrip().startswith("#")]
    via = frozenset(comment.removeprefix("via").strip() for comment in comments) - {""}
    kept = tuple(line for line in lines if not line.lstrip().startswith("#"))
    return Pin(match["name"].lower(), kept, via)


def main(arguments: list[str]) -> None:
    """Print the part of the lock file that the group named by the only argument needs; without one, what runs."""
    if len(arguments) > 1:
        raise SystemExit("usage: lock.py [GROUP]")
    for pin in part(read_pins(LOCK.read_text(encoding="utf-8")), *arguments):
        print("\n".join(pin.lines))


if __name__ == "__main__":
    main(sys.argv[1:])
