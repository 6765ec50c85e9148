# SPDX-License-Identifier: Apache-2.0
"""How far something long has come comes in; one line on standard error that says so goes out, and goes away again."""

from __future__ import annotations

import time

import click

# Progress is shown so often, and not before.
EVERY_S = 0.5


class ProgressLine:
    """One line that is written over."""

    def __init__(self, verb: str, *, is_wanted: bool) -> None:
        self._verb = verb
        self._next = time.monotonic() + EVERY_S if is_wanted else float("inf")
        self._is_shown = False

    def tell(self, what: str, number: int) -> None:
        """Show what is looked at."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            self._is_shown = True
            click.echo(f"\r\x1b[K{self._verb} {what}: {number:,}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            click.echo("\r\x1b[K", err=True, nl=False)
