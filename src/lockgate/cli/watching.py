# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is looked at from moment to moment, and a live view, or each change, goes out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from lockgate.cli import door, local
from lockgate.cli.said import Said

FRAME_S = 1.0


class Facts(NamedTuple):
    """How a rollout stands, as far as the exit code goes."""

    status: str
    is_terminal: bool
    is_superseded: bool


class View(Protocol):
    """Shows a rollout as it changes."""

    def show(self) -> Facts:
        """Take a turn where that is asked, show what came of it, and return how the rollout stands."""

    def wait(self, seconds: float) -> None:
        """Let time pass until the next turn."""

    def end(self, over_s: int, *, is_rolling_back: bool) -> Facts:
        """Show what becomes of the rollout when the time is over."""


class Watched(NamedTuple):
    """Where a rollout is looked at, until when, and whether each look is a turn as well."""

    door: door.Door
    rollout_id: str
    deadline: float
    is_ticking: bool

    def ask(self, name: str, **words: object) -> Said:
        """Return what is new of the rollout, after a look, a turn or the end."""
        return self.door.ask(name, {"rollout_id": self.rollout_id, "held": [], "untold": [], **words})

    def turn(self) -> str:
        """Return what is asked to see what became of it."""
        return "turn" if self.is_ticking else "look"

    def left(self) -> int:
        """Return the seconds until the deadline."""
        return max(0, round(self.deadline - time.monotonic()))


@contextmanager
def view_on(watched: Watched, *, as_json: bool) -> Iterator[View]:
    """Hand out a live view on a terminal, with the time until the deadline, else one that tells each change once."""
    if as_json or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        yield _Log(watched, as_json=as_json)
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(file=sys.stdout, highlight=False), auto_refresh=False) as live:
        screen = _Screen(watched, lambda drawn: live.update(Text.from_ansi(drawn, no_wrap=True), refresh=True))
        yield screen
    # What is written while a frame stands is lost under the next one.
    for sentence in screen.told:
        local.tell(sentence)


def _facts(said: Said) -> Facts:
    found: Any = said.more["facts"]
    return Facts(**found)


class _Log:
    """Tells a change of step or status, and a change of what holds the rollout."""

    def __init__(self, watched: Watched, *, as_json: bool) -> None:
        self._watched = watched
        self._as_json = as_json
        self._told: Mapping[str, Any] = {}

    def show(self) -> Facts:
        return self._ask(self._watched.turn())

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def end(self, over_s: int, *, is_rolling_back: bool) -> Facts:
        return self._ask("end" if is_rolling_back else "look", over_s=over_s)

    def _ask(self, name: str, **words: object) -> Facts:
        said = self._watched.ask(name, as_json=self._as_json, **self._told, **words)
        told: Any = said.more["told"]
        self._told = told
        door.say(said)
        return _facts(said)


class _Screen:
    """Draws the whole rollout anew, between turns as well, so that its times go on."""

    def __init__(self, watched: Watched, draw: Callable[[str], None]) -> None:
        self._watched = watched
        self._draw = draw
        self.told: tuple[str, ...] = ()

    def show(self) -> Facts:
        return self._ask(self._watched.turn())

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, FRAME_S))
            self._ask("look")

    def end(self, over_s: int, *, is_rolling_back: bool) -> Facts:
        return self._ask("end" if is_rolling_back else "look", over_s=over_s)

    def _ask(self, name: str, **words: object) -> Facts:
        said = self._watched.ask(name, left_s=self._watched.left(), **words)
        self._draw(said.out)
        self.told = said.told
        return _facts(said)
