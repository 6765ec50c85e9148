# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout or receipt comes in; receipts go out as a list, or as files that `lockgate verify` takes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

import click

from lockgate.cli import door, exit_codes, local, output
from lockgate.cli.trusted import read
from lockgate.errors import UsageError


@click.command(epilog=exit_codes.LOOKED)
@local.takes_id
@click.option("--save", type=click.Path(path_type=Path), metavar="FOLDER", help="Write them, proofs and keys as files.")
@click.option("--seq", type=click.IntRange(1), metavar="N", help="Only receipt N of the rollout.")
@click.option(
    "--since-checkpoint",
    "since",
    type=click.Path(),
    metavar="FILE",
    help="With --save: also prove that the log has only grown since this checkpoint.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def receipts(rollout_id: str, *, save: Path | None, seq: int | None, since: str | None, as_json: bool) -> int:
    """List a rollout's receipts, or write them as files that verify offline.

    ID is that of a rollout, or of one receipt.
    """
    if since is not None and save is None:
        raise UsageError("a proof is written into a folder", advice="Name it with --save.")
    words = {
        "rollout_id": rollout_id,
        "save": None if save is None else str(save),
        "seq": seq,
        "since": since,
        "kept": None if since is None else b64encode(read(since)).decode(),
        "as_json": as_json,
    }
    with door.opened() as here:
        said = here.ask("receipts", words)
    if save is not None:
        _write(save, said.files)
    return door.finish(said)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output.refusal(folder, error) from error
    for name, data in files.items():
        output.save_pieces(folder / Path(name).name, (data,), is_durable=False)
