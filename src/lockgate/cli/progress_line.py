# SPDX-License-Identifier: Apache-2.0
"""How far something long has come comes in; one line on standard error that says so goes out, and goes away again."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import click

from lockgate.errors import LockgateError
from lockgate.report.text import clip

if TYPE_CHECKING:
    from lockgate.ports.house import House

# Progress is shown so often, and not before.
EVERY_S = 0.5


class ProgressLine:
    """One line that is written over."""

    def __init__(self, verb: str, *, is_wanted: bool) -> None:
        self._verb = verb
        self._is_wanted = is_wanted
        self._next = time.monotonic() + EVERY_S if is_wanted else float("inf")
        self._is_shown = False
        self._totals: dict[str, int] = {}
        self._news: dict[str, int] = {}

    def expect(self, what: str, total: int) -> None:
        """Show of how many it is from now on."""
        self._totals[what] = total

    def expect_stored(self, house: House, rollout_id: str | None, *whats: str) -> None:
        """Show of how many it is: as many as a rollout, or all of the store, has receipts.

        A store that cannot say is told of by what reads all of it.
        """
        if not self._is_wanted:
            return
        try:
            with house.store.reading(house.org) as seen:
                last = seen.latest_receipt(rollout_id)
        except LockgateError:
            return
        if last is None:
            return
        for what in whats:
            self.expect(what, last.index + 1 if rollout_id is None else last.seq)

    def tell(self, what: str, number: int) -> None:
        """Show what is looked at, with all else that was since the line was last written."""
        self._news[what] = number
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            self._is_shown = True
            said = f"{self._verb} {', '.join(map(self._said, self._news))}"
            self._news.clear()
            # What is wider than the terminal could not be taken away again.
            click.echo(f"\r\x1b[K{clip(said, shutil.get_terminal_size().columns - 1)}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            click.echo("\r\x1b[K", err=True, nl=False)

    def _said(self, what: str) -> str:
        number, total = self._news[what], self._totals.get(what, 0)
        # Others may write meanwhile, and then there are more.
        return f"{what}: {number:,}" + (f" of {total:,}" if number <= total else "")
