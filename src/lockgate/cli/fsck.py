# SPDX-License-Identifier: Apache-2.0
"""The store of this machine comes in; whether everything in it agrees goes out, each contradiction in a sentence."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.operations.fsck import Soundness
    from lockgate.verify import Keys

EPILOG = "Exit codes: 0 sound, 64 no store, 65 flaws were found, 75 the store is held."
MAX_KEY_SIZE = 10_000
# Progress is shown so often, and not before.
EVERY_S = 0.5


@click.command(epilog=EPILOG)
@click.option(
    "--key", "keys", type=click.Path(), multiple=True, metavar="FILE", help="An older public key of receipts."
)
@click.option(
    "--log-key", "log_keys", type=click.Path(), multiple=True, metavar="FILE", help="An older public key of the log."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def fsck(keys: tuple[str, ...], log_keys: tuple[str, ...], *, as_json: bool) -> int:
    """Check that everything in the store agrees, and make every decision again.

    Files, buckets, receipts, log and messages are compared, and each decision is made again from stored evidence.
    Nothing is changed, and others may go on writing meanwhile.
    """
    from lockgate import wiring
    from lockgate.operations.fsck import fsck as check

    if not wiring.has_store():
        raise UsageError(f"there is no store in {wiring.home()}", advice="Set LOCKGATE_HOME to the folder of one.")
    meter = _Meter(is_wanted=sys.stderr.isatty() and not as_json)
    try:
        found = check(local.house(), _keys(keys, log_keys), meter.tell)
    finally:
        meter.clear()
    if as_json:
        local.emit(_document(found))
    else:
        output.say(_text(found))
    return exit_codes.OK.code if found.is_sound else exit_codes.DATA.code


def _keys(keys: tuple[str, ...], log_keys: tuple[str, ...]) -> Keys:
    from lockgate.verify import Keys, read_note_key, read_public_key

    return Keys(
        tuple(read_public_key(_read(name)) for name in keys),
        tuple(read_note_key(_read(name).decode("utf-8", "replace")) for name in log_keys),
    )


def _read(name: str) -> bytes:
    try:
        with open(name, "rb") as file:  # noqa: PTH123 -- the name goes to the system as it was given
            return file.read(MAX_KEY_SIZE)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", advice="Name a file that can be read.") from error


def _document(found: Soundness) -> dict[str, object]:
    return {
        "sound": found.is_sound,
        "flaws": [flaw.document() for flaw in found.flaws],
        "further": found.further,
        "checked": found.counted,
        "notRecomputed": list(found.unknown),
    }


def _text(found: Soundness) -> str:
    from lockgate.core.soundness.flaw import ADVICE
    from lockgate.report.text import printable

    checked = ", ".join(f"{what} {number:,}" for what, number in found.counted.items())
    lines = [f"Checked: {checked or 'nothing is stored yet'}."]
    lines += [f"Not made again: {sentence}." for sentence in found.unknown]
    if found.is_sound:
        return "".join(printable(line) + "\n" for line in [*lines, "Sound: everything in the store agrees."])
    lines += [f"- {flaw.sentence}" for flaw in found.flaws]
    lines += [f"and {found.further:,} more"] if found.further else []
    lines += [f"{rule.value}: {ADVICE[rule]}" for rule in dict.fromkeys(flaw.rule for flaw in found.flaws)]
    return "".join(
        printable(line) + "\n" for line in [*lines, f"Not sound: {len(found.flaws) + found.further:,} flaws."]
    )


class _Meter:
    """One line on standard error that says how far a long check has come."""

    def __init__(self, *, is_wanted: bool) -> None:
        self._next = time.monotonic() + EVERY_S if is_wanted else float("inf")
        self._is_shown = False

    def tell(self, what: str, number: int) -> None:
        """Show what is looked at."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_S
            self._is_shown = True
            click.echo(f"\r\x1b[Kchecking {what}: {number:,}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            click.echo("\r\x1b[K", err=True, nl=False)
