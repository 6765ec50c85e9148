# SPDX-License-Identifier: Apache-2.0
"""What a key is for, or its id, comes in; a token that is shown once, the list of keys, or a revoked one goes out.

Keys that sign are of the same group, and of modules of their own.
"""

from __future__ import annotations

import os

import click

from lockgate.cli import door, exit_codes, local
from lockgate.cli.command_group import CommandGroup
from lockgate.cli.keys_exchange import exchange
from lockgate.cli.keys_manifest import manifest
from lockgate.cli.keys_root import root, sign_manifest
from lockgate.cli.keys_rotate import rotate
from lockgate.core.permission import PRESETS

EPILOG = f"Exit codes: 0 done, also when it was so already; 64 usage; {exit_codes.OF_STORE}"


@click.group(cls=CommandGroup)
def keys() -> None:
    """API keys of `lockgate serve`, and keys that sign.

    An API key lets somebody call the server, and signs nothing: create, list, revoke, and exchange for CI jobs. Keys
    that sign are in the keys folder: manifest, rotate. Root keys sign manifests only: root, sign-manifest.
    """


for _command in (exchange, root, manifest, sign_manifest, rotate):
    keys.add_command(_command)


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
    """Make an API key and print its token, which is kept nowhere and never shown again."""
    made = {"name": name, "words": list(words), "apps": list(apps), "life_s": int(expires), "as_json": as_json}
    is_first = not os.environ.get(local.URL) and not local.has_store()
    code = door.answer("keys-create", made)
    if is_first:
        # A server elsewhere, or of another user, would refuse the key for ever.
        local.tell(
            f"warning: a new store was made for it in {local.place()}; a server with another one does not know the key,"
            " and docs/howto/install.md says how to call on its store"
        )
    return code


@keys.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_command(*, as_json: bool) -> int:
    """List API keys, also those that open nothing any more."""
    return door.answer("keys-list", {"as_json": as_json})


@keys.command("revoke", epilog=EPILOG)
@click.argument("key_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the key as JSON.")
def revoke(key_id: str, *, as_json: bool) -> int:
    """Let an API key open nothing any more, for good."""
    return door.answer("keys-revoke", {"key_id": key_id, "as_json": as_json})
