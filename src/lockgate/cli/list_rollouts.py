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

    missing = local.no_store()
    found = () if missing else list_rollouts(local.house(), app_id, active=active)
    overdue = overdue_rollouts(local.house(), found) if found else {}
    if as_json:
        from lockgate.report.rollout_document import rollout_document

        local.emit({"rollouts": [{**rollout_document(each), "overdue": overdue.get(each.id)} for each in found]})
    elif missing:
        output.say(f"{missing[:1].upper()}{missing[1:]}; {local.FIRST}\n")
    elif not found:
        output.say("There is no rollout; `lockgate create` makes one.\n")
    else:
        from lockgate.report.listing import render_rollouts

        output.say(render_rollouts(found, local.screen(), overdue))
    return exit_codes.OK.code
