# SPDX-License-Identifier: Apache-2.0
"""An app, a release and a status come in; raw runs of that kind that are still kept go out."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes, local

EPILOG = f"Exit codes: 0 shown, also when there is none; 64 usage; {exit_codes.OF_STORE}"


@click.command(epilog=EPILOG)
@click.option("--app-id", metavar="APP", required=True, help="The app whose runs to show.")
@click.option("--release", metavar="RELEASE", help="Only runs of this release.")
@click.option(
    "--status", type=click.Choice(["ok", "error", "timeout", "cancelled"]), help="Only runs that ended this way."
)
@click.option("--since", metavar="SPAN", help="Only runs that came so long ago at most, such as 1h.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many to show.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON, each with all its fields.")
def runs(app_id: str, release: str | None, status: str | None, since: str | None, limit: int, *, as_json: bool) -> int:
    """Show raw runs, the latest to come first."""
    words = {
        "app_id": app_id,
        "release": release,
        "status": status,
        "since_s": None if since is None else int(local.seconds(since)),
        "limit": limit,
        "as_json": as_json,
    }
    return door.answer("runs", words)
