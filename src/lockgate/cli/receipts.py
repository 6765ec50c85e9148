# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its receipts go out as a list, or as files that `lockgate verify` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.trusted import read
from lockgate.core.vault import Receipt
from lockgate.errors import UsageError
from lockgate.ports.house import House


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
    """List a rollout's receipts, or write them as files that verify offline."""
    from lockgate.operations.export import export, key_file
    from lockgate.operations.queries import receipts_of

    if since is not None and save is None:
        raise UsageError("a proof is written into a folder", advice="Name it with --save.")
    kept = None if since is None else read(since)
    house = local.house_to_read()
    with local.named(rollout_id, house):
        found = [each for each in receipts_of(rollout_id, house) if seq in (None, each.seq)]
        # What is only listed needs no key.
        files = export(rollout_id, house, seq, kept) if save is not None or not found else {}
    if save is not None:
        _write(save, files)
    if as_json:
        from lockgate.report.rollout_document import receipt_document

        output.emit_json({"id": rollout_id, "receipts": [receipt_document(each) for each in found]})
    elif save is not None:
        last = found[-1].seq
        output.say(
            f"Wrote {len(files)} files into {save}. Next:\n"
            f"lockgate verify {save}/receipt-{last}.json --key {save}/{key_file(found[-1], house)}"
            f" --proof {save}/receipt-{last}.tlog-proof --log-key {save}/log-key.txt"
            f"{'' if since is None else f' --checkpoint {since} --consistency {save}/log.consistency'}\n"
            f"{_older(found, files, house)}"
        )
    else:
        from lockgate.report.listing import render_receipts

        output.say(render_receipts(found, local.screen()))
    return exit_codes.OK.code


def _older(found: Sequence[Receipt], files: Mapping[str, bytes], house: House) -> str:
    """Return, in words, which receipts verify by which older key."""
    from lockgate.core.wording import count_text
    from lockgate.operations.export import RECEIPT_KEY, key_file

    by_key: dict[str, list[int]] = {}
    for each in found:
        by_key.setdefault(key_file(each, house), []).append(each.seq)
    lines = ""
    for name, seqs in by_key.items():
        which = f"{count_text(len(seqs), 'receipt')} from {seqs[0]} to {seqs[-1]} by an older key"
        if name != RECEIPT_KEY:
            lines += f"{which}: {name}.\n" if name in files else f"{which} that was not kept here: {name} is missing.\n"
    return lines


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise UsageError(
            f"cannot write into {folder}: {error.strerror or error}", advice="Name a folder that can be written."
        ) from error
