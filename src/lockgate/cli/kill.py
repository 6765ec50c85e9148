# SPDX-License-Identifier: Apache-2.0
"""The name of an app, or all of them, comes in; its trials are rolled back, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request

EPILOG = f"""
A release on trial goes back to its baseline; where none is, the champion goes back to the former one.
The app stays frozen until `lockgate unfreeze`.

{request.DONE}
"""


@click.command(epilog=EPILOG)
@request.of_app_or_all
@request.who_and_why
@request.without_question
def kill(app_id: str | None, reason: str, by: str | None, *, is_all: bool, as_json: bool, yes: bool) -> int:
    """Roll back everything on trial in an app, or return it to its former champion; freeze it."""
    request.check_which(app_id, is_all=is_all)
    words = {"app_id": app_id, "reason": reason, "by": by, "yes": yes, "as_json": as_json}
    return door.answer("kill", words)
