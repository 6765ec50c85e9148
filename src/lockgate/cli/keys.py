# SPDX-License-Identifier: Apache-2.0
"""What a key is for, or its id, comes in; a token that is shown once, the list of keys, or a revoked one goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes, local
from lockgate.core.permission import PRESETS

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
    made = {"name": name, "words": list(words), "apps": list(apps), "life_s": int(expires), "as_json": as_json}
    return door.answer("keys-create", made)


@keys.command("list", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the keys as JSON.")
def list_command(*, as_json: bool) -> int:
    """List keys, also those that open nothing any more."""
    return door.answer("keys-list", {"as_json": as_json})


@keys.command("revoke", epilog=EPILOG)
@click.argument("key_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the key as JSON.")
def revoke(key_id: str, *, as_json: bool) -> int:
    """Let a key open nothing any more, for good."""
    return door.answer("keys-revoke", {"key_id": key_id, "as_json": as_json})
