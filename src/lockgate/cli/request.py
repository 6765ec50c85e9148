# SPDX-License-Identifier: Apache-2.0
"""What an operator says on the command line comes in: which rollout or app, who, why, and what they saw of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.core.receipt import Actor

Command = TypeVar("Command", bound=Callable[..., object])
DONE = f"Exit codes: 0 done, also when it was so already; 64 usage; {exit_codes.OF_STORE}"
DONE_IF_SEEN = f"{DONE} 75 also when it has changed since."


def options_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return several options as one, in their order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


who_and_why: Callable[[Command], Command] = options_of(
    click.option("--reason", required=True, metavar="TEXT", help="Why; the receipt keeps it."),
    click.option("--by", metavar="NAME", envvar="LOCKGATE_ACTOR", help="Who. [default: the user of this machine]"),
    click.option("--json", "as_json", is_flag=True, help="Print what stands as JSON."),
)
of_rollout = options_of(
    click.option("--id", "rollout_id", required=True, metavar="ID", help="The rollout."), who_and_why
)
of_app = options_of(click.option("--app-id", required=True, metavar="APP", help="The app."), who_and_why)
of_app_or_all: Callable[[Command], Command] = options_of(
    click.option("--app-id", metavar="APP", help="The app."),
    click.option("--all", "is_all", is_flag=True, help="Every app that is known now, and none that comes later."),
)
what_was_seen: Callable[[Command], Command] = options_of(
    click.option("--step", type=click.IntRange(0), metavar="N", help="The step that you saw, counted from 0."),
    click.option("--revision", type=click.IntRange(1), metavar="N", help="The revision that you saw."),
)
without_question = click.option("--yes", is_flag=True, help="Do not ask.")


def actor(name: str | None, reason: str) -> Actor:
    """Return who acts, and why."""
    from lockgate.core.receipt import operator

    return operator(name or local.actor().name or "", reason)


def check_which(app_id: str | None, *, is_all: bool) -> None:
    """Refuse a call that is of no app in particular, or of one and of all."""
    if (app_id is None) is not is_all:
        raise UsageError("this is done to one app or to all", advice="Call with --app-id APP, or with --all.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person; where nobody can be asked the call must say so itself."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody can be asked: {question}", advice="Add --yes.")
    from lockgate.report.text import printable

    *lines, last = output.fitted_to(sys.stderr, "\n".join(map(printable, question.split("\n")))).split("\n")
    for line in lines:
        click.echo(line, err=True)
    if not click.confirm(last, err=True):
        raise UsageError("not confirmed; nothing was changed", advice="Call again and answer y, or with --yes.")
