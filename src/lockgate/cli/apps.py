# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; where it stands, or where all apps do, goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes


@click.command(epilog=exit_codes.LOOKED)
@click.option("--app-id", metavar="APP", help="Only this app.")
@click.option("--json", "as_json", is_flag=True, help="Print the apps as JSON.")
def apps(app_id: str | None, *, as_json: bool) -> int:
    """Show apps: releases seen, champion, what is on trial, what is frozen and why, and what moves the traffic."""
    return door.answer("apps", {"app_id": app_id, "as_json": as_json})
