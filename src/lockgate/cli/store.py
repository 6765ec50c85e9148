# SPDX-License-Identifier: Apache-2.0
"""Where a store is and where it is to go on comes in; it is there, checked, and what was copied goes out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.progress_line import ProgressLine
from lockgate.cli.store_migrate import migrate
from lockgate.errors import UsageError

if TYPE_CHECKING:
    from lockgate.operations.soundness.copy_store import Copied
    from lockgate.operations.soundness.fsck import Soundness

EPILOG = (
    "Exit codes: 0 copied and sound, 64 usage, or TO is not empty, 65 not sound, 69 a store cannot be reached, "
    "75 somebody writes to one of them, 77 one of them may not be."
)


@click.group(cls=CommandGroup)
def store() -> None:
    """Make the tables of a store, or copy it to where it goes on."""


store.add_command(migrate)


@store.command("copy", epilog=EPILOG)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--json", "as_json", is_flag=True, help="Print what was copied as JSON.")
def copy(source: str, target: str, *, as_json: bool) -> int:
    """Copy everything from FROM to an empty TO, check it, and let FROM only be read from then on.

    Each is a folder (of LOCKGATE_HOME's kind) or an address (postgresql://role@host/database) of a role that owns the
    tables. Nobody writes to FROM meanwhile. Keys are not copied: they stay in LOCKGATE_HOME.
    """
    from lockgate import wiring
    from lockgate.operations.soundness.copy_store import copy_store

    local.check_here()
    _refuse_nothing(source)
    line = ProgressLine("copying", is_wanted=sys.stderr.isatty() and not as_json)
    try:
        # The target first: what cannot be written holds nobody up who writes to the source.
        with wiring.copy_target(target) as there, wiring.copy_source(source) as here:
            copied, name = copy_store(here, there, line.tell), there.name
        found = [_check(org, source, target, line) for org in copied.orgs]
    finally:
        line.clear()
    is_sound = all(each.is_sound for each in found)
    if as_json:
        flaws = [flaw.document() for each in found for flaw in each.flaws]
        rows, orgs = dict(copied.rows), list(copied.orgs)
        output.emit_json({"to": name, "rows": rows, "organisations": orgs, "sound": is_sound, "flaws": flaws})
    else:
        output.say(_text(copied, found, target, name))
    return exit_codes.OK.code if is_sound else exit_codes.DATA.code


def _refuse_nothing(source: str) -> None:
    from lockgate import wiring

    if not wiring.is_url(source) and not wiring.has_store(Path(source)):
        raise UsageError(f"there is no store in {source}", advice="Name the folder that LOCKGATE_HOME names.")


def _check(org: str, source: str, target: str, line: ProgressLine) -> Soundness:
    from lockgate import wiring
    from lockgate.operations.soundness.copy_store import check_copy

    keys = (wiring.home() if wiring.is_url(source) else Path(source)) / wiring.KEYS
    return check_copy(
        wiring.house_at(source, keys, org), wiring.house_at(target, keys, org), line.tell, wiring.run_batches().decode
    )


def _text(copied: Copied, found: list[Soundness], target: str, name: str) -> str:
    from lockgate import wiring
    from lockgate.core.wording import count_text
    from lockgate.report.text import printed

    tables = sum(count > 0 for count in copied.rows.values())
    what = f"{count_text(sum(copied.rows.values()), 'row')} of {count_text(tables, 'table')}"
    lines = [f"Copied {what}, read again and compared."]
    flaws = [flaw.sentence for each in found for flaw in each.flaws]
    if flaws:
        lines += [f"- {sentence}" for sentence in flaws]
        lines.append("Not sound: each of these came from FROM, byte for byte; `lockgate fsck` says what to do.")
    else:
        lines.append("Sound: the log has the same head, and everything in the copy agrees.")
    lines.append(f"The store goes on in {name}; where it was it may only be read.")
    if wiring.is_url(target):
        lines.append("Next, for every server and job: let LOCKGATE_STORE be that address, and start again.")
        lines.append("LOCKGATE_HOME stays: the keys in it sign.")
    else:
        lines.append(
            f"Next: copy the folder `keys` into {target}, name that in LOCKGATE_HOME, and unset LOCKGATE_STORE."
        )
    return printed(lines)
