# SPDX-License-Identifier: Apache-2.0
"""A size or an index of a log comes in; its checkpoint, a proof, an entry, or everything since goes out, as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from lockgate.cli import exit_codes, output
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.log_door import Fetched, LogCall, fetch
from lockgate.errors import UsageError

EPILOG = f"Exit codes: 0 printed, 64 no such entry or size; {exit_codes.OF_STORE}"
EXPORT = f"Exit codes: 0 printed or written, 64 no such size; {exit_codes.of_store({65: 'another file'})}"
MAX_COUNT = 10**18 - 1
COUNT = click.IntRange(0, MAX_COUNT)


@click.group(cls=CommandGroup, epilog=EPILOG)
def log() -> None:
    """Print the log of what was signed, its proofs, or everything since a size."""


@log.command("checkpoint", epilog=EPILOG)
def checkpoint() -> int:
    """Print the latest signed checkpoint; keep it elsewhere, to compare it with later ones."""
    return _printed(fetch(LogCall("/checkpoint")))


@log.command("entry", epilog=EPILOG)
@click.argument("index", type=COUNT, metavar="INDEX")
def entry(index: int) -> int:
    """Print an entry of the log byte for byte: a receipt."""
    return _printed(fetch(LogCall("/entries/{index}", {"index": str(index)})))


@log.command("proof", epilog=EPILOG)
@click.argument("index", type=COUNT, metavar="INDEX")
def proof(index: int) -> int:
    """Print the proof that an entry is in the log, under the latest checkpoint."""
    return _printed(fetch(LogCall("/proof/{index}", {"index": str(index)})))


@log.command("consistency", epilog=EPILOG)
@click.option("--old", type=COUNT, required=True, metavar="SIZE", help="The size of the checkpoint that you kept.")
@click.option("--new", type=COUNT, metavar="SIZE", help="That of a later one. [default: the latest]")
def consistency(old: int, new: int | None) -> int:
    """Print the proof that the log begins with what it held at a smaller size."""
    query = {"old": str(old), **({} if new is None else {"new": str(new)})}
    return _printed(fetch(LogCall("/consistency", {}, query)))


@log.command("export", epilog=EXPORT)
@click.option("--since", type=COUNT, metavar="SIZE", help="After how many entries. [default: 0]")
@click.option(
    "--append",
    "target",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add to a file from where it ends, and make it where it is not there.",
)
def export(since: int | None, target: Path | None) -> int:
    """Print everything since a size of the log, as lines of JSON that prove that nothing is missing.

    Each portion of lines ends with one that has the size from which the next export goes on.
    """
    if target is not None and since is not None:
        raise UsageError("a file that is added to says where it ends", advice="Leave --since or --append out.")
    if target is not None:
        return _append(target)
    for lines, _ in _portions(since or 0):
        # A log may have a million more, and somebody must still read.
        if not output.emit_pieces((lines,)):
            return exit_codes.PIPE_CLOSED.code
    return exit_codes.OK.code


def _append(target: Path) -> int:
    from lockgate.cli import log_file
    from lockgate.core.wording import entries_text

    with log_file.opened(target) as file:
        began = file.size
        for lines, size in _portions(began):
            if size > began:
                file.add(lines, size)
        new = file.size - began
        said = "1 is new" if new == 1 else f"{new:,} are new"
        output.say(f"{target} ends at {entries_text(file.size)} of the log; {said}.\n")
    return exit_codes.OK.code


def _portions(since: int) -> Iterator[tuple[bytes, int]]:
    """Yield portions up to the log's end, each with the size at which it ends."""
    while True:
        found = fetch(LogCall("/export", {}, {"since": str(since)}))
        size = int(found.headers["lockgate-size"])
        yield found.body, size
        if size == since or size == int(found.headers["lockgate-log-size"]):
            return
        since = size


def _printed(found: Fetched) -> int:
    """Print what came; whatever a log has is ASCII but for the dash of a signed note."""
    output.emit(found.body.decode("utf-8"))
    return exit_codes.OK.code
