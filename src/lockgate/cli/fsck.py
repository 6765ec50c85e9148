# SPDX-License-Identifier: Apache-2.0
"""The store of this machine comes in; whether everything in it agrees goes out, each contradiction in a sentence."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.progress_line import ProgressLine
from lockgate.errors import LockgateError, UnsoundError, UsageError

if TYPE_CHECKING:
    from lockgate.operations.soundness.fsck import Soundness
    from lockgate.ports.house import House
    from lockgate.verify import Keys

STAGES = 2
EPILOG = f"Exit codes: 0 sound, 64 no store; {exit_codes.of_store({65: 'flaws were found'})}"


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
@click.option("--offline", is_flag=True, help="Ask no witness whether the store is an older copy.")
@click.option("--repair", "is_repair", is_flag=True, help="Say what can be made again; with --yes make it.")
@click.option("--yes", "is_sure", is_flag=True, help="Make again what --repair would.")
def fsck(
    keys: tuple[str, ...],
    log_keys: tuple[str, ...],
    *,
    as_json: bool,
    offline: bool,
    is_repair: bool,
    is_sure: bool,
) -> int:
    """Check that everything in the store agrees, and make every decision again.

    Files, buckets, receipts, log and messages are compared, and each decision is made again from stored evidence.
    Of several organisations one is checked, which LOCKGATE_ORG names.
    Marks of other places and witnesses are asked whether the store is an older copy.
    Timestamps are verified by the certificates of LOCKGATE_TSA_CA.
    Nothing is changed without --repair --yes, and others may go on writing meanwhile.

    --repair makes again only what follows from the rest: indexes, and the nodes of the log, of which its tiles are.
    Never is anything made again that was signed.
    """
    from lockgate.cli.trusted import trusted_keys
    from lockgate.operations.soundness.fsck import log_origin

    if is_sure and not is_repair:
        raise UsageError("--yes is for --repair", advice="Without --repair nothing is changed.")
    house = local.house_to_read()
    trusted = trusted_keys(keys, log_keys, lambda: log_origin(house))
    found = _checked(house, trusted, as_json=as_json, offline=offline)
    repaired: tuple[str, ...] = ()
    # Behind an index that was made again nodes may be seen to be wrong.
    for _ in range(STAGES if is_repair else 0):
        made = () if found.is_sound else _repaired(house, trusted, found, as_json=as_json, is_sure=is_sure)
        if not made:
            break
        repaired += made
        found = _checked(house, trusted, as_json=as_json, offline=offline)
    unreadable, others = _unopened(house, found), _others(house)
    if as_json:
        of = {"org": house.org, "otherOrgs": list(others)}
        output.emit_json({**of, **_document(found), "unopened": list(unreadable), "repaired": list(repaired)})
    else:
        output.say_lines(_lines(found, house.org, others))
    return exit_codes.OK.code if found.is_sound else exit_codes.DATA.code


def _checked(house: House, keys: Keys, *, as_json: bool, offline: bool) -> Soundness:
    """Check the store in itself, and then what others remember of it."""
    from lockgate.operations.soundness.fsck import fsck as check
    from lockgate.operations.soundness.outside import outside_flaws
    from lockgate.wiring import high_water, run_batches, stamp_reader, witness_list

    line = ProgressLine("checking", is_wanted=sys.stderr.isatty() and not as_json)
    line.expect_stored(house, None, "receipts", "log entries")
    try:
        found = check(house, keys, line.tell, run_batches().decode, stamp_reader())
    finally:
        line.clear()
    marks, witnesses = replace(house, high_water=high_water()), None if offline else witness_list()
    flaws, silent = outside_flaws(marks, witnesses, has_nodes=found.has_nodes)
    for sentence in silent:
        local.tell(f"warning: {sentence}")
    return replace(found, flaws=(*found.flaws, *flaws))


def _repaired(house: House, keys: Keys, found: Soundness, *, as_json: bool, is_sure: bool) -> tuple[str, ...]:
    """Make again what can be; return in words what was, and tell what would be."""
    from lockgate.operations.soundness.repairing import plan_repair, repair
    from lockgate.wiring import mendings

    wanted = plan_repair(found)
    if wanted.is_empty:
        local.tell("nothing of what was found can be made again")
        return ()
    if not is_sure:
        local.tell(
            "".join(f"to be made again: {each}\n" for each in wanted.sentences) + "nothing was changed; add --yes"
        )
        return ()
    line = ProgressLine("making again", is_wanted=sys.stderr.isatty() and not as_json)
    try:
        repair(house, mendings(), wanted, keys, line.tell)
    except UnsoundError as error:
        # What was found is shown all the same, and says why by itself.
        local.tell(f"warning: {error}")
        return ()
    finally:
        line.clear()
    for each in wanted.sentences:
        local.tell(f"made again: {each}")
    return wanted.sentences


def _unopened(house: House, found: Soundness) -> tuple[str, ...]:
    """Return the webhooks whose secrets cannot be opened; where flaws were found their rows may be unreadable."""
    from lockgate.operations.soundness.readiness import unopened
    from lockgate.operations.webhooks.webhooks import ONE_KEY, OTHER_KEY
    from lockgate.wiring import receivers

    unreadable = unopened(house, receivers()) if found.is_sound else ()
    if unreadable:
        local.tell(f"warning: {OTHER_KEY}: {', '.join(unreadable)}\n{ONE_KEY}")
    return unreadable


def _others(house: House) -> tuple[str, ...]:
    """Return the organisations of which nothing was looked at; a store that is not sound may not tell them."""
    with suppress(LockgateError):
        return tuple(name for name in house.store.orgs() if name != house.org)
    return ()


def _document(found: Soundness) -> dict[str, object]:
    return {
        "sound": found.is_sound,
        "whole": found.is_sound and not found.unknown,
        "flaws": [flaw.document() for flaw in found.flaws],
        "further": found.further,
        "checked": found.counted,
        "notRecomputed": list(found.unknown),
    }


def _lines(found: Soundness, org: str, others: tuple[str, ...]) -> list[str]:
    from lockgate.core.soundness.flaw import ADVICE
    from lockgate.core.wording import count_text

    checked = ", ".join(f"{what} {number:,}" for what, number in found.counted.items())
    lines = [f"Checked: {checked or 'nothing is stored yet'}."]
    lines += [f"Left open: {sentence}." for sentence in found.unknown]
    if others:
        lines.append(f"Not looked at: {', '.join(others)}; LOCKGATE_ORG=NAME lets fsck check another organisation.")
    if found.is_sound:
        left = "Sound, as far as it was looked at: nothing contradicts, and what is named above was left open."
        return [
            *lines,
            left if found.unknown else f"Sound: everything {f'of {org}' if others else 'in the store'} agrees.",
        ]
    lines += [f"- {flaw.sentence}" for flaw in found.flaws]
    lines += [f"and {found.further:,} more"] if found.further else []
    lines += [f"{rule.value}: {ADVICE[rule]}" for rule in dict.fromkeys(flaw.rule for flaw in found.flaws)]
    return [*lines, f"Not sound: {count_text(len(found.flaws) + found.further, 'flaw')}."]
