# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; its rollouts, one a line, go out."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output


@click.command("list", epilog="Exit codes: 0 listed, 64 usage.")
@click.option("--app-id", metavar="APP", help="Only the rollouts of this app.")
@click.option("--active", is_flag=True, help="Leave out those that have ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollouts as JSON.")
def list_command(app_id: str | None, *, active: bool, as_json: bool) -> int:
    """List rollouts, the oldest first."""
    from lockgate.operations.queries import list_rollouts, overdue_rollouts

    house = local.house() if local.has_store() else None
    found = () if house is None else list_rollouts(house, app_id, active=active)
    overdue = {} if house is None else overdue_rollouts(house, found)
    if as_json:
        from lockgate.report.rollout_document import rollout_document

        output.emit_json({"rollouts": [{**rollout_document(each), "overdue": overdue.get(each.id)} for each in found]})
    elif house is None:
        from lockgate.wiring import home

        output.say(f"There is no store at {home()} yet; {local.FIRST}\n")
    elif not found:
        output.say("There is no rollout; `lockgate create` makes one.\n")
    else:
        from lockgate.report.listing import render_rollouts

        output.say(render_rollouts(found, local.screen(), overdue))
    return exit_codes.OK.code
