# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; where it stands, or where all apps do, goes out."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output


@click.command(epilog=exit_codes.LOOKED)
@click.option("--app-id", metavar="APP", help="Only this app.")
@click.option("--json", "as_json", is_flag=True, help="Print the apps as JSON.")
def apps(app_id: str | None, *, as_json: bool) -> int:
    """Show apps: releases seen, champion, what is on trial, what is frozen and why, and what moves the traffic."""
    from lockgate.operations.overview import overview
    from lockgate.report.app_listing import overview_document, render_overview

    house = local.house_to_read()
    found = overview(house, app_id)
    if as_json:
        output.emit_json({"apps": [overview_document(each) for each in found]})
    else:
        shown = "\n".join(render_overview(each, local.screen()) for each in found)
        output.say(shown or "No app is known; the first run or rollout that names one makes it.\n")
    return exit_codes.OK.code
