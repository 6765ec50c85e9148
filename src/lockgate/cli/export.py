# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; a zip with its receipts, and all that proves and explains them, is written."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.bundle_target import STDOUT, check_target, put
from lockgate.cli.progress_line import ProgressLine
from lockgate.cli.trusted import read

if TYPE_CHECKING:
    from lockgate.core.revoked_signers import RevokedSigner
    from lockgate.ports.house import House

EPILOG = f"Exit codes: 0 written, 64 no such rollout or file; {exit_codes.of_store({65: 'another log than kept'})}"


class Call(TypedDict):
    """What was called, as click hands it over."""

    rollout_id: str
    target: Path | None
    is_forced: bool
    since: str | None
    has_every_case: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be exported: of which rollout, since which kept checkpoint, and whether with every replay case."""

    rollout_id: str
    kept: bytes | None
    has_every_case: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A bundle to be written: its pieces, what is told of it where that is known, and whose keys in it are revoked."""

    pieces: Iterator[bytes]
    told: Mapping[str, Any]
    revoked: tuple[RevokedSigner, ...]


@click.command(epilog=EPILOG)
@click.option("--rollout", "rollout_id", required=True, metavar="ID", help="The rollout.")
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), metavar="FILE", help="[default: ID.zip]")
@click.option("--force", "is_forced", is_flag=True, help="Write over a file that is no bundle.")
@click.option(
    "--since-checkpoint",
    "since",
    type=click.Path(),
    metavar="FILE",
    help="Also prove that the log has only grown since this checkpoint.",
)
@click.option(
    "--every-case",
    "has_every_case",
    is_flag=True,
    help="Replay cases of all receipts, where they are more than 10,000; from this machine's store.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export(**call: object) -> int:
    """Write a rollout's receipts, and all that proves and explains them, as one zip.

    It holds a timeline for people, a release record for programs, and a script that checks it all without Lockgate.
    FILE may be a bundle already, which is replaced; - is standard output.
    """
    return _export(cast("Call", call))


def _export(call: Call) -> int:
    kept = None if call["since"] is None else read(call["since"])
    file = call["target"] or Path(f"{call['rollout_id']}.zip")
    check_target(file, is_forced=call["is_forced"], as_json=call["as_json"])
    line = ProgressLine("exporting", is_wanted=sys.stderr.isatty() and not call["as_json"])
    try:
        with _opened(_Asked(call["rollout_id"], kept, call["has_every_case"]), line) as made:
            size = put(file, made.pieces)
            told = {"file": str(file), "bytes": size, **made.told, "revoked": [key.document() for key in made.revoked]}
            warnings = [f"warning: {key.sentence()}" for key in made.revoked]
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(*_left(file)) from error
    except OSError as error:
        # What is gathered waits in a temporary file.
        if error.errno not in output.FULL:
            raise
        raise output.refusal(Path(tempfile.gettempdir()), error) from error
    finally:
        line.clear()
    if size is None:
        return exit_codes.PIPE_CLOSED.code
    if call["as_json"]:
        output.emit_json(told)
    elif file == STDOUT:
        local.tell("\n".join(_written({**told, "file": "the bundle"})))
    else:
        output.say(_text(told))
    for warning in warnings:
        local.tell(warning)
    return exit_codes.OK.code


def _left(file: Path) -> list[str]:
    """Return, in words, what an export leaves that was interrupted; what went into a pipe is gone."""
    is_whole = file != STDOUT and (file.is_file() or not file.exists())
    return ["nothing was written"] if is_whole else []


@contextmanager
def _opened(asked: _Asked, line: ProgressLine) -> Iterator[_Made]:
    from lockgate.core.revoked_signers import revoked_in

    if asked.has_every_case:
        local.check_here()
    if os.environ.get(local.URL):
        from lockgate.cli.fetched_bundle import fetched_bundle
        from lockgate.core.bundle import decode

        data = fetched_bundle(asked.rollout_id, asked.kept)
        yield _Made(iter((data,)), {"rolloutId": asked.rollout_id}, revoked_in(decode(data)))
        return
    from lockgate.operations.bundle.bundle import Wanted, bundle
    from lockgate.operations.bundle.receipts import MAX_CASES
    from lockgate.report.bundle_pages import bundle_pages

    house = _house()
    line.expect_stored(house, asked.rollout_id, "receipts")
    wanted = Wanted(
        rollout_id=asked.rollout_id,
        pages=bundle_pages,
        since=asked.kept,
        tell=line.tell,
        max_cases=None if asked.has_every_case else MAX_CASES,
    )
    with local.named(asked.rollout_id, house), bundle(wanted, house) as made:
        counted = {"receipts": made.receipts, "files": len(made.files), "missing": made.missing}
        yield _Made(made.pieces(), {**made.about, **counted}, revoked_in(made.files))


def _house() -> House:
    """Return the store to who only looks, with the private keys where they may be used: for OpenSSH's signatures."""
    from dataclasses import replace

    from lockgate import wiring
    from lockgate.errors import LockgateError

    house = local.house_to_read()
    try:
        return replace(house, signers=wiring.signers(wiring.home() / wiring.KEYS, lambda: False))
    except LockgateError:
        return house


def _text(told: Mapping[str, Any]) -> str:
    from lockgate.report.text import printed

    following = f"lockgate verify {told['file']} --key KEY.pem --log-key LOG-KEY.txt"
    return printed([*_written(told), f"Next, with keys from their owner: {following}"])


def _written(told: Mapping[str, Any]) -> list[str]:
    from lockgate.core.wording import count_text

    held = f": {count_text(told['receipts'], 'receipt')}, {told['files']:,} files" if "receipts" in told else ""
    lines = [f"Wrote {told['file']}{held}, {told['bytes']:,} bytes."]
    if told.get("missing"):
        lines.append(f"Not in it: {', '.join(told['missing'])}; its missing.json says which, and why.")
    return lines
