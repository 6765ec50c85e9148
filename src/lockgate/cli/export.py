# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; a zip with its receipts, and all that proves and explains them, is written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.progress_line import ProgressLine
from lockgate.cli.trusted import read

if TYPE_CHECKING:
    from lockgate.ports.house import House

EPILOG = f"Exit codes: 0 written, 64 no such rollout or file, 65 another log than kept; {exit_codes.OF_STORE}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be exported: of which rollout, since which kept checkpoint, and whether with every replay case."""

    rollout_id: str
    kept: bytes | None
    has_every_case: bool


@dataclass(frozen=True, slots=True)
class _Made:
    """A bundle to be written: its pieces, and what is told of it where that is known."""

    pieces: Iterator[bytes]
    told: Mapping[str, Any]


@click.command(epilog=EPILOG)
@click.option("--rollout", "rollout_id", required=True, metavar="ID", help="The rollout.")
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), metavar="FILE", help="[default: ID.zip]")
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
    help="Replay cases of all receipts, and not of the first 10,000 only; from this machine's store.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export(rollout_id: str, *, target: Path | None, since: str | None, has_every_case: bool, as_json: bool) -> int:
    """Write a rollout's receipts, and all that proves and explains them, as one zip.

    It holds a timeline for people, a release record for programs, and a script that checks it all without Lockgate.
    """
    kept = None if since is None else read(since)
    file = target or Path(f"{rollout_id}.zip")
    line = ProgressLine("exporting", is_wanted=sys.stderr.isatty() and not as_json)
    try:
        with _opened(_Asked(rollout_id, kept, has_every_case), line) as made:
            output.save_pieces(file, made.pieces)
            told = {"file": str(file), "bytes": file.stat().st_size, **made.told}
    finally:
        line.clear()
    if as_json:
        output.emit_json(told)
    else:
        output.say(_text(told))
    return exit_codes.OK.code


@contextmanager
def _opened(asked: _Asked, line: ProgressLine) -> Iterator[_Made]:
    if asked.has_every_case:
        local.check_here()
    if os.environ.get(local.URL):
        from lockgate.cli.fetched_bundle import fetched_bundle

        yield _Made(iter((fetched_bundle(asked.rollout_id, asked.kept),)), {"rolloutId": asked.rollout_id})
        return
    from lockgate.operations.bundle import Wanted, bundle
    from lockgate.operations.bundle_receipts import MAX_CASES
    from lockgate.report.bundle_pages import bundle_pages

    house = _house()
    wanted = Wanted(
        rollout_id=asked.rollout_id,
        pages=bundle_pages,
        since=asked.kept,
        tell=line.tell,
        max_cases=None if asked.has_every_case else MAX_CASES,
    )
    with local.named(asked.rollout_id, house), bundle(wanted, house) as made:
        counted = {"receipts": made.receipts, "files": len(made.files), "missing": made.missing}
        yield _Made(made.pieces(), {**made.about, **counted})


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

    file = told["file"]
    held = f": {told['receipts']:,} receipts, {told['files']:,} files" if "receipts" in told else ""
    lines = [f"Wrote {file}{held}, {told['bytes']:,} bytes."]
    if told.get("missing"):
        lines.append(f"Not in it: {', '.join(told['missing'])}; its missing.json says which, and why.")
    lines.append(f"Next, with keys from their owner: lockgate verify {file} --key KEY.pem --log-key LOG-KEY.txt")
    return printed(lines)
