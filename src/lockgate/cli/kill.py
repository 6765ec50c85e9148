# SPDX-License-Identifier: Apache-2.0
"""The name of an app, or all of them, comes in; its trials are rolled back, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request
from lockgate.errors import UsageError

EPILOG = f"""
A release on trial goes back to its baseline; where none is, the champion goes back to the former one.
The app stays frozen until `lockgate unfreeze`.

{request.DONE}
"""
# Every router that can be told is told before this ends.
KILL_S = 60.0


@click.command(epilog=EPILOG)
@request.of_app_or_all
@request.who_and_why
@request.without_question
def kill(app_id: str | None, reason: str, by: str | None, *, is_all: bool, as_json: bool, yes: bool) -> int:
    """Roll back everything on trial in an app, or return it to its former champion; freeze it."""
    from lockgate.operations.kill import kill as act
    from lockgate.operations.kill import planned_kill
    from lockgate.report.answered import plan_text

    request.check_which(app_id, is_all=is_all)
    house, actor = local.known_house(), request.actor(by, reason)
    plans = planned_kill(app_id, house)
    if not plans:
        raise UsageError("no app is known, so nothing can be killed", advice="Is LOCKGATE_HOME the right folder?")
    request.confirm(f"{plan_text(plans)}Kill?", yes=yes)
    which = ["--all"] if app_id is None else ["--app-id", app_id]
    with request.with_lost_keys(["kill", *which], reason, by):
        stands = act(app_id, actor, house)
    return request.answer_apps(stands, house, is_all=is_all, as_json=as_json, seconds=KILL_S)
