# SPDX-License-Identifier: Apache-2.0
"""The environment comes in; this machine's store, its screen and the ids that it knows go out."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING

import click

from lockgate.cli import output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lockgate.core.receipt import Actor
    from lockgate.ports.house import House
    from lockgate.report.screen import Screen

URL, ORG = "LOCKGATE_URL", "LOCKGATE_ORG"
# More ids than this are counted, not listed.
MAX_LISTED = 10
MAX_SECONDS = 366 * 86_400
FIRST = "`lockgate create` or `lockgate ingest` makes one, in the folder that LOCKGATE_HOME names."
MIGRATE = "`lockgate store migrate`, with the role that owns them, makes its tables: see docs/howto/postgresql.md."


def seconds(text: str) -> float:
    """Return the seconds of a span of time: a number of seconds, or `90s`, `30m`, `2h`, `1d`."""
    from lockgate.core.policy.duration import duration_seconds, duration_text

    try:
        span = float(text)
    except ValueError:
        span = float(duration_seconds(text.strip()) or -1)
    if 0 <= span <= MAX_SECONDS:
        return span
    if span > MAX_SECONDS and span != float("inf"):
        raise click.BadParameter(f"{text!r} is longer than {duration_text(MAX_SECONDS)}.")
    raise click.BadParameter(f"{text!r} is not a span of time such as 30, 90s, 30m, 2h or 1d.")


def takes_id(command: Callable[..., int]) -> Callable[..., int]:
    """Let a command's rollout be named by a word alone, or by --id as where something is done to it."""

    @click.argument("word", metavar="[ID]", required=False)
    @click.option("--id", "option", metavar="ID", help="The same, written as for other commands.")
    @wraps(command)
    def call(*, word: str | None, option: str | None, **rest: object) -> int:
        named = word or option
        if named is None or (word is not None and option is not None):
            raise UsageError("name one rollout", advice="`lockgate list` has the ids.")
        return command(rollout_id=named, **rest)

    return call


def house() -> House:
    """Return the store and keys in the folder that LOCKGATE_HOME names."""
    from lockgate import wiring

    check_here()
    _warn_if_open(wiring.home())
    return _in_org(wiring.local_house(on_wait=_waiting))


def _in_org(found: House) -> House:
    """Return the house of the organisation that LOCKGATE_ORG names."""
    name = os.environ.get(ORG)
    if not name:
        return found
    from lockgate.operations.access.organisations import in_organisation

    return in_organisation(name, found)


def _warn_if_open(home: Path) -> None:
    """Tell that others may take a store away and put one of theirs in its place."""
    # What may not be looked into is told by whoever opens it.
    with suppress(OSError):
        if home.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            tell(f"others than its owner may write to {home}, and put a store of theirs there: `chmod go-w` it")


def known_house() -> House:
    """Return the store and keys of that folder where they are there; looking makes none."""
    check_store()
    return house()


def house_to_read() -> House:
    """Return the store of that folder and its public keys to who only looks, and may not write there or sign."""
    from lockgate import wiring

    check_store()
    _warn_if_open(wiring.home())
    found = _in_org(wiring.house_to_read(_waiting))
    _warn_if_left(found)
    return found


def _warn_if_left(found: House) -> None:
    """Tell that what is read here goes on elsewhere, and may be old."""
    from lockgate.errors import LockgateError

    # What cannot be read is told by whoever asks for it.
    with suppress(LockgateError), found.store.reading(found.org) as seen:
        if name := seen.left_for():
            tell(f"warning: this store was copied to {name} and goes on there; LOCKGATE_STORE names which is meant")


def rehearsal_house() -> House:
    """Return this machine's store and public keys as they are there; where no store is, an empty one."""
    from lockgate import wiring

    check_here()
    return wiring.house_to_read(_waiting, is_empty=not has_store())


def _waiting() -> None:
    tell("waiting for another process that holds the store")


def check_store() -> None:
    """Refuse to go on where there is no store."""
    check_here()
    if not has_store():
        raise missing_store()


def missing_store() -> UsageError:
    """Return that there is no store, with where it is looked for, and what makes it."""
    from lockgate import wiring

    if (place := wiring.database_place()) is not None:
        return UsageError(f"there is no store in {place} yet", advice=MIGRATE)
    return UsageError(f"there is no store at {wiring.home()} yet", advice=FIRST)


def place() -> str:
    """Return where this machine's store is, without any password."""
    from lockgate import wiring

    return wiring.database_place() or str(wiring.home())


def check_here() -> None:
    """Refuse what works on this machine's store where a server is named, whose store is another one."""
    if os.environ.get(URL):
        raise UsageError(
            f"this works on the store of the machine that it is called on, and {URL} names a server",
            advice=f"Call it on the server's machine, or unset {URL}.",
        )


def has_store() -> bool:
    """Say whether there is a store; what may not be looked into is told by whoever opens it."""
    from lockgate import wiring

    try:
        return wiring.has_store()
    except OSError:
        return True


def actor() -> Actor:
    """Return who calls, by the name that this machine knows."""
    import getpass

    from lockgate.core.receipt import Actor

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        # A container may run as a number that nobody has named.
        return Actor("person")
    return Actor("person", name)


def screen() -> Screen:
    """Return what standard output can show."""
    return output.screen_of(sys.stdout, os.environ)


def tell(sentence: str) -> None:
    """Say on standard error what is no fault but should be known."""
    from lockgate.report.text import NO_BREAK, printable

    output.complain("\n".join(printable(line).replace(NO_BREAK, " ") for line in sentence.split("\n")))


@contextmanager
def named(rollout_id: str, known: House) -> Iterator[None]:
    """Answer the id of no rollout with those that there are."""
    from lockgate.operations.asking.queries import list_rollouts
    from lockgate.operations.line.reading import RECEIPT

    try:
        yield
    except UsageError as error:
        ids = [rollout.id for rollout in list_rollouts(known)]
        if rollout_id in ids or rollout_id.startswith(RECEIPT):
            raise
        raise UsageError(error.message, advice=_known(rollout_id, ids)) from error


def _known(rollout_id: str, ids: list[str]) -> str:
    from lockgate.core.declaration.nearest import question

    if not ids:
        return "There is none yet; `lockgate create` makes one."
    latest = ", ".join(reversed(ids[-MAX_LISTED:]))
    more = f" and {len(ids) - MAX_LISTED} more, which `lockgate list` shows" if len(ids) > MAX_LISTED else ""
    return f"{question(rollout_id, ids)}Known, the latest first: {latest}{more}."
