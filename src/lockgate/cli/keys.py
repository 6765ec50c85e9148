# SPDX-License-Identifier: Apache-2.0
"""What a key is for, or its id, comes in; a token that is shown once, the list of keys, or a revoked one goes out."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output
from lockgate.core.permission import PRESETS, permissions_of

EPILOG = f"Exit codes: 0 done, also when it was so already; 64 usage; {exit_codes.OF_STORE}"


@click.group()
def keys() -> None:
    """Make, list and revoke the API keys of `lockgate serve`."""


@keys.command("create", epilog=EPILOG)
@click.option("--name", required=True, metavar="TEXT", help="Who uses it.")
@click.option(
    "--allow",
    "words",
    multiple=True,
    required=True,
    metavar="WORD",
    help=f"A preset ({', '.join(PRESETS)}) or a permission such as rollout.read; may be repeated.",
)
@click.option("--app-id", "apps", multiple=True, metavar="APP", help="Only for this app; may be repeated.")
@click.option("--expires", type=local.seconds, default="90d", show_default=True, metavar="SPAN", help="For how long.")
@click.option("--json", "as_json", is_flag=True, help="Print the key and its token as JSON.")
def create(name: str, words: tuple[str, ...], apps: tuple[str, ...], expires: float, *, as_json: bool) -> int:
    """Make a key and print its token, which is kept nowhere and never shown again."""
    from lockgate.operations.issue_key import KeyOrder, issue_key
    from lockgate.report.key_listing import key_document

    order = KeyOrder(
        name=name,
        permissions=permissions_of(words),
        apps=apps,
        life_s=int(expires),
        created_by=local.actor().name,
    )
    issued = issue_key(order, local.house())
    if as_json:
        output.emit_json({**key_document(issued.key), "token": issued.token})
        return exit_codes.OK.code
    output.say(f"{issued.token}\n")
    local.tell(f"{issued.key.id} is made; its token is shown this once")
    return exit_codes.OK.code


@keys.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_command(*, as_json: bool) -> int:
    """List keys, also those that open nothing any more."""
    from lockgate.operations.api_keys import list_keys
    from lockgate.report.key_listing import key_document, render_keys

    house = local.known_house()
    found = list_keys(house)
    if as_json:
        output.emit_json({"keys": [key_document(each) for each in found]})
    else:
        output.say(render_keys(found, house.clock.now(), local.screen()))
    return exit_codes.OK.code


@keys.command("revoke", epilog=EPILOG)
@click.argument("key_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the key as JSON.")
def revoke(key_id: str, *, as_json: bool) -> int:
    """Let a key open nothing any more, for good."""
    from lockgate.operations.revoke_key import revoke_key
    from lockgate.report.key_listing import key_document, render_keys

    house = local.known_house()
    key = revoke_key(key_id, house)
    if as_json:
        output.emit_json(key_document(key))
    else:
        output.say(render_keys([key], house.clock.now(), local.screen()))
    return exit_codes.OK.code
