# SPDX-License-Identifier: Apache-2.0
"""A size or an index of a log comes in; its checkpoint, a proof, an entry, or everything since goes out, as it is."""

from __future__ import annotations

import sys

import click

from lockgate.cli import exit_codes, output
from lockgate.cli.log_door import Fetched, LogCall, fetch

EPILOG = f"Exit codes: 0 printed, 64 no such entry or size; {exit_codes.OF_STORE}"
MAX_COUNT = 10**18 - 1
COUNT = click.IntRange(0, MAX_COUNT)


@click.group()
def log() -> None:
    """Print the log of what was signed: its checkpoint, proofs, entries, or everything since a size."""


@log.command("checkpoint", epilog=EPILOG)
def checkpoint() -> int:
    """Print the latest signed checkpoint; keep it elsewhere, to compare it with later ones."""
    return _printed(fetch(LogCall("show_checkpoint", "/checkpoint")))


@log.command("entry", epilog=EPILOG)
@click.argument("index", type=COUNT, metavar="INDEX")
def entry(index: int) -> int:
    """Print an entry of the log byte for byte: a receipt."""
    return _printed(fetch(LogCall("show_entry", "/entries/{index}", {"index": str(index)})))


@log.command("proof", epilog=EPILOG)
@click.argument("index", type=COUNT, metavar="INDEX")
def proof(index: int) -> int:
    """Print the proof that an entry is in the log, under the latest checkpoint."""
    return _printed(fetch(LogCall("show_proof", "/proof/{index}", {"index": str(index)})))


@log.command("consistency", epilog=EPILOG)
@click.option("--old", type=COUNT, required=True, metavar="SIZE", help="The size of the checkpoint that you kept.")
@click.option("--new", type=COUNT, metavar="SIZE", help="That of a later one. [default: the latest]")
def consistency(old: int, new: int | None) -> int:
    """Print the proof that the log begins with what it held at a smaller size."""
    query = {"old": str(old), **({} if new is None else {"new": str(new)})}
    return _printed(fetch(LogCall("show_growth", "/consistency", {}, query)))


@log.command("export", epilog=EPILOG)
@click.option("--since", type=COUNT, default=0, show_default=True, metavar="SIZE", help="After how many entries.")
def export(since: int) -> int:
    """Print everything since a size of the log, as lines of JSON that prove that nothing is missing.

    Each portion of lines ends with one that has the size from which the next export goes on.
    """
    while True:
        found = fetch(LogCall("export_lines", "/export", {}, {"since": str(since)}))
        if not _is_taken(found.body):
            return exit_codes.PIPE_CLOSED.code
        size = int(found.headers["lockgate-size"])
        if size == int(found.headers["lockgate-log-size"]) or size == since:
            return exit_codes.OK.code
        since = size


def _is_taken(lines: bytes) -> bool:
    """Print a portion; say whether somebody still reads, because a log may have a million more."""
    try:
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        output.close()
        return False
    except OSError as error:
        output.close()
        raise output.unwritten(error) from error
    return True


def _printed(found: Fetched) -> int:
    """Print what came; whatever a log has is ASCII but for the dash of a signed note."""
    output.emit(found.body.decode("utf-8"))
    return exit_codes.OK.code
