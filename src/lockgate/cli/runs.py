# SPDX-License-Identifier: Apache-2.0
"""An app, a release and a status come in; raw runs of that kind that are still kept go out."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output

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
    from lockgate.core.instant import SECOND
    from lockgate.operations.example_runs import Wanted, example_runs

    house = local.house_to_read()
    moment = None if since is None else house.clock.now() - int(local.seconds(since) * SECOND)
    found = example_runs(Wanted(app=app_id, release=release, status=status, since=moment, limit=limit), house)
    if as_json:
        document = [{"came_at": each.came_at, "counted": each.is_counted, "run": each.record} for each in found.runs]
        output.emit_json({"runs": document, "kept_from": found.until, "is_cut": found.is_cut})
    else:
        from lockgate.report.raw_runs import render_raw_runs

        output.say(render_raw_runs(found, local.screen()))
    return exit_codes.OK.code
