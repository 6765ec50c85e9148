# SPDX-License-Identifier: Apache-2.0
"""The name of an organisation comes in; its first key goes out, or the list of those that there are."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output
from lockgate.cli.command_group import CommandGroup

EPILOG = f"Exit codes: 0 done; 64 usage, or there is one of that name; {exit_codes.OF_STORE}"


@click.group(cls=CommandGroup)
def orgs() -> None:
    """Make and list organisations, which see nothing of each other."""


@orgs.command("create", epilog=EPILOG)
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the key and its token as JSON.")
def create(name: str, *, as_json: bool) -> int:
    """Make an organisation and print the token of its first key, which is never shown again."""
    from lockgate.operations.access.organisations import create_organisation
    from lockgate.report.key_listing import key_document

    issued = create_organisation(name, local.house(), local.actor().name)
    if as_json:
        output.emit_json({**key_document(issued.key), "org": name, "token": issued.token})
        return exit_codes.OK.code
    output.say(f"{issued.token}\n")
    local.tell(f"this first key may do everything in {name} for 90 days and is shown this once")
    local.tell(f"LOCKGATE_ORG={name} lets other commands work in it")
    return exit_codes.OK.code


@orgs.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_command(*, as_json: bool) -> int:
    """List organisations by name."""
    from lockgate.operations.access.organisations import organisations

    found = organisations(local.known_house())
    if as_json:
        output.emit_json({"orgs": list(found)})
    else:
        output.say("".join(f"{name}\n" for name in found))
    return exit_codes.OK.code
