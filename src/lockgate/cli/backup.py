# SPDX-License-Identifier: Apache-2.0
"""The name of a new folder comes in; a copy of this machine's store is in it, and what was copied goes out."""

from __future__ import annotations

from pathlib import Path

import click

from lockgate.cli import exit_codes, local, output

EPILOG = "Exit codes: 0 copied, 64 no store or no new folder, 65 the store is not whole, 69 the disk is full."


@click.command(epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--with-keys", "has_keys", is_flag=True, help="Copy the private keys too; keep such a copy as you do keys."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was copied as JSON.")
def backup(folder: Path, *, has_keys: bool, as_json: bool) -> int:
    """Copy the store into a new FOLDER while others go on.

    The copy is the store as it was at one moment. `lockgate fsck`, with LOCKGATE_HOME set to it, says whether it is
    whole.
    """
    from lockgate import wiring
    from lockgate.report.text import printed

    local.check_store()
    copied = wiring.back_up(folder, has_keys=has_keys)
    if as_json:
        files = [{"path": str(path), "bytes": path.stat().st_size} for path in copied]
        output.emit_json({"folder": str(folder), "files": files, "private_keys": has_keys})
        return exit_codes.OK.code
    lines = [f"{path}: {path.stat().st_size:,} bytes" for path in copied]
    if not has_keys:
        lines.append(
            "The private keys were not copied: keep them apart, because without them a restored store signs nothing."
        )
    output.say(printed(lines))
    return exit_codes.OK.code
