# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; its rollouts, one a line, go out."""

from __future__ import annotations

import os

import click

from lockgate.cli import door, exit_codes, local, output


@click.command("list", epilog=exit_codes.LOOKED)
@click.option("--app-id", metavar="APP", help="Only the rollouts of this app.")
@click.option("--active", is_flag=True, help="Leave out those that have ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollouts as JSON.")
def list_command(app_id: str | None, *, active: bool, as_json: bool) -> int:
    """List rollouts, the oldest first."""
    if not os.environ.get(local.URL) and not local.has_store():
        _no_store(as_json=as_json)
        return exit_codes.OK.code
    return door.answer("list", {"app_id": app_id, "active": active, "as_json": as_json})


def _no_store(*, as_json: bool) -> None:
    if as_json:
        output.emit_json({"rollouts": []})
        return
    missing = local.missing_store()
    output.say(f"{missing.message[0].upper()}{missing.message[1:]}; {missing.advice}\n")
