# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in as it is from moment to moment; a live view, or one line for each change, goes out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from lockgate.cli import delivery, local, output
from lockgate.core.decision.decision import Decision
from lockgate.operations.queries import Explanation, explain, receipts_of
from lockgate.ports.house import House
from lockgate.report.decided import reason_of
from lockgate.report.listing import Change, render_change
from lockgate.report.rollout_document import change_document
from lockgate.report.view import render_view

FRAME_S = 1.0


class View(Protocol):
    """Shows a rollout as it changes."""

    def show(self, said: Explanation, untold: tuple[str, ...] = ()) -> None:
        """Show how the rollout stands after a tick, and what the router has not been told."""

    def wait(self, seconds: float, rollout_id: str) -> None:
        """Let time pass until the next tick."""


@contextmanager
def view_on(house: House, deadline: float, *, as_json: bool) -> Iterator[View]:
    """Hand out a live view on a terminal, with the time until the deadline, else one that tells each change once."""
    if as_json or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _Log(house, as_json=as_json)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(file=sys.stdout, highlight=False), auto_refresh=False) as live:
        yield _Screen(house, deadline, lambda drawn: live.update(Text.from_ansi(drawn, no_wrap=True), refresh=True))


class _Log:
    """Tells a change of step or status, and a change of what holds the rollout."""

    def __init__(self, house: House, *, as_json: bool) -> None:
        self._house = house
        self._as_json = as_json
        self._revision = -1
        self._held: tuple[object, ...] = ()
        self._untold: tuple[object, ...] = ()
        self._is_overdue = False

    def show(self, said: Explanation, untold: tuple[str, ...] = ()) -> None:
        rollout = said.rollout
        if rollout.revision != self._revision:
            self._revision = rollout.revision
            receipts = receipts_of(rollout.id, self._house)
            receipt = next((each for each in receipts if each.revision == rollout.revision), receipts[-1])
            self._tell(Change(rollout, receipt.action, receipt.cause, reason_of(receipt), receipt.at))
        held = (rollout.step, said.decision.action, said.decision.cause)
        if not rollout.is_terminal and held != self._held:
            self._held = held
            self._tell(_held(said, said.decision, self._house))
        if (said.overdue is not None) is not self._is_overdue:
            self._is_overdue = said.overdue is not None
            if said.overdue is not None:
                local.tell(f"overdue: {said.overdue}")
        # How long until the next try is new each time, and no news.
        heads = tuple(sentence.partition(";")[0] for sentence in untold)
        if heads != self._untold:
            self._untold = heads
            for sentence in untold:
                local.tell(sentence)

    def wait(self, seconds: float, rollout_id: str) -> None:  # noqa: ARG002 -- the screen draws while it waits; a log does not
        time.sleep(seconds)

    def _tell(self, change: Change) -> None:
        if self._as_json:
            output.emit_json(change_document(change), indent=None)
        else:
            output.say(render_change(change, local.screen()))


def _held(said: Explanation, decision: Decision, house: House) -> Change:
    return Change(said.rollout, decision.action.value, decision.cause.value, decision.reason, house.clock.now())


class _Screen:
    """Draws the whole rollout anew, between ticks as well, so that its times go on."""

    def __init__(self, house: House, deadline: float, draw: Callable[[str], None]) -> None:
        self._house = house
        self._deadline = deadline
        self._draw = draw

    def show(self, said: Explanation, untold: tuple[str, ...] = ()) -> None:
        ending = local.ending(said.rollout, self._house)
        left = max(0, round(self._deadline - time.monotonic()))
        self._draw(render_view(said, self._house.clock.now(), local.screen(), ending, untold, left))

    def wait(self, seconds: float, rollout_id: str) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, FRAME_S))
            said = explain(rollout_id, self._house)
            self.show(said, delivery.untold(self._house, said.rollout.app))
