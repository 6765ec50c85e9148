# SPDX-License-Identifier: Apache-2.0
"""An app's name may come in; its rollouts, one a line, go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from lockgate.cli import exit_codes, local, output
from lockgate.core.rollout import Rollout


@click.command("list", epilog=exit_codes.LOOKED)
@click.option("--app-id", metavar="APP", help="Only the rollouts of this app.")
@click.option("--active", is_flag=True, help="Leave out those that have ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the rollouts as JSON.")
def list_command(app_id: str | None, *, active: bool, as_json: bool) -> int:
    """List rollouts, the oldest first."""
    if not local.has_store():
        _no_store(as_json=as_json)
        return exit_codes.OK.code
    from lockgate.operations.overview import frozen_apps, overview
    from lockgate.operations.queries import list_rollouts, overdue_rollouts

    house = local.house_to_read()
    if app_id is not None:
        # A mistyped name is refused with those that there are.
        overview(house, app_id)
    found = list_rollouts(house, app_id, active=active)
    overdue, frozen = overdue_rollouts(house, found), frozen_apps(house)
    if as_json:
        from lockgate.report.rollout_document import rollout_document

        output.emit_json(
            {
                "rollouts": [
                    {**rollout_document(each), "overdue": overdue.get(each.id), "frozen": frozen.get(each.app)}
                    for each in found
                ]
            }
        )
    elif not found:
        output.say("There is no rollout; `lockgate create` makes one.\n")
    else:
        from lockgate.report.listing import render_rollouts

        output.say(render_rollouts(found, local.screen(), _notes(found, overdue, frozen)))
    return exit_codes.OK.code


def _no_store(*, as_json: bool) -> None:
    if as_json:
        output.emit_json({"rollouts": []})
        return
    from lockgate.wiring import home

    output.say(f"There is no store at {home()} yet; {local.FIRST}\n")


def _notes(rollouts: Sequence[Rollout], overdue: Mapping[str, str], frozen: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is to be known of rollouts beside their rows, by id; a freeze of those that it may stop."""
    notes: dict[str, list[str]] = {}
    for each in rollouts:
        if each.id in overdue:
            notes.setdefault(each.id, []).append(f"overdue: {overdue[each.id]}")
        if each.app in frozen and not each.is_terminal:
            notes.setdefault(each.id, []).append(f"{each.app} is frozen: {frozen[each.app]}")
    return notes
