# SPDX-License-Identifier: Apache-2.0
"""The name of a command and its words come in; what it answers, from this machine's store or a server, goes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Protocol

from lockgate.cli import local, output
from lockgate.cli.said import Said


class Door(Protocol):
    """Answers commands."""

    def ask(self, name: str, words: Mapping[str, object]) -> Said:
        """Return what a command says."""
        ...


@contextmanager
def opened(*, away_s: float | None = None) -> Iterator[Door]:
    """Hand out the server that LOCKGATE_URL names, else this machine's store.

    `away_s` is how long a server that is away is waited for, where that is longer than usual.
    """
    if os.environ.get(local.URL):
        from lockgate.cli.remote_door import AWAY_S, RemoteDoor

        with closing(RemoteDoor(away_s or AWAY_S)) as door:
            yield door
        return
    from lockgate.cli.local_door import LocalDoor

    yield LocalDoor()


def answer(name: str, words: Mapping[str, object]) -> int:
    """Ask a command, ask a person first where it wants that, print what it says and return its exit code."""
    with opened() as door:
        said = door.ask(name, words)
        if said.question:
            say(said)
            confirm(said.question)
            said = door.ask(name, {**words, **said.more, "yes": True})
        return finish(said)


def finish(said: Said) -> int:
    """Print what a command says, and return its exit code."""
    say(said)
    return said.code


def say(said: Said) -> None:
    """Print what a command says."""
    if said.is_data:
        output.emit(said.out)
    elif said.out:
        output.say(said.out)
    for sentence in said.told:
        local.tell(sentence)


def confirm(question: str) -> None:
    """Ask a person; where nobody can be asked the call must say so itself."""
    from lockgate.cli.request import confirm as ask

    ask(question, yes=False)


def may_ask() -> bool:
    """Say whether somebody is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty()
