# SPDX-License-Identifier: Apache-2.0
"""The store of this machine comes in; whether everything in it agrees goes out, each contradiction in a sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.progress_line import ProgressLine

if TYPE_CHECKING:
    from lockgate.operations.fsck import Soundness

EPILOG = f"Exit codes: 0 sound, 64 no store, 65 flaws were found; {exit_codes.OF_STORE}"


@click.command(epilog=EPILOG)
@click.option(
    "--key", "keys", type=click.Path(), multiple=True, metavar="FILE", help="An older public key of receipts."
)
@click.option(
    "--log-key",
    "log_keys",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="An older public key of the log, as one line or in PEM.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def fsck(keys: tuple[str, ...], log_keys: tuple[str, ...], *, as_json: bool) -> int:
    """Check that everything in the store agrees, and make every decision again.

    Files, buckets, receipts, log and messages are compared, and each decision is made again from stored evidence.
    Nothing is changed, and others may go on writing meanwhile.
    """
    from lockgate.cli.trusted import trusted_keys
    from lockgate.operations.fsck import fsck as check
    from lockgate.operations.fsck import log_origin
    from lockgate.operations.readiness import unopened
    from lockgate.operations.webhooks import ONE_KEY, OTHER_KEY
    from lockgate.wiring import receivers, run_batches

    house = local.house_to_read()
    line = ProgressLine("checking", is_wanted=sys.stderr.isatty() and not as_json)
    try:
        found = check(house, trusted_keys(keys, log_keys, lambda: log_origin(house)), line.tell, run_batches().decode)
    finally:
        line.clear()
    # Where flaws were found, rows of webhooks may be among what cannot be read.
    unreadable = unopened(house, receivers()) if found.is_sound else ()
    if unreadable:
        local.tell(f"warning: {OTHER_KEY}: {', '.join(unreadable)}\n{ONE_KEY}")
    if as_json:
        output.emit_json({**_document(found), "unopened": list(unreadable)})
    else:
        output.say(_text(found))
    return exit_codes.OK.code if found.is_sound else exit_codes.DATA.code


def _document(found: Soundness) -> dict[str, object]:
    return {
        "sound": found.is_sound,
        "whole": found.is_sound and not found.unknown,
        "flaws": [flaw.document() for flaw in found.flaws],
        "further": found.further,
        "checked": found.counted,
        "notRecomputed": list(found.unknown),
    }


def _text(found: Soundness) -> str:
    from lockgate.core.soundness.flaw import ADVICE
    from lockgate.report.text import printed

    checked = ", ".join(f"{what} {number:,}" for what, number in found.counted.items())
    lines = [f"Checked: {checked or 'nothing is stored yet'}."]
    lines += [f"Not made again: {sentence}." for sentence in found.unknown]
    if found.is_sound:
        left = "Sound, as far as it was looked at: nothing contradicts, and what is named above was not made again."
        return printed([*lines, left if found.unknown else "Sound: everything in the store agrees."])
    lines += [f"- {flaw.sentence}" for flaw in found.flaws]
    lines += [f"and {found.further:,} more"] if found.further else []
    lines += [f"{rule.value}: {ADVICE[rule]}" for rule in dict.fromkeys(flaw.rule for flaw in found.flaws)]
    return printed([*lines, f"Not sound: {len(found.flaws) + found.further:,} flaws."])
