# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; it is frozen, or no longer, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_app
def freeze(app_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Let nothing of an app start or be promoted; rollback always works."""
    return door.answer("freeze", {"app_id": app_id, "reason": reason, "by": by, "as_json": as_json})


@click.command(epilog=request.DONE)
@request.of_app_or_all
@request.who_and_why
def unfreeze(app_id: str | None, reason: str, by: str | None, *, is_all: bool, as_json: bool) -> int:
    """End an app's freeze, whether a freeze or a kill began it."""
    request.check_which(app_id, is_all=is_all)
    return door.answer("unfreeze", {"app_id": app_id, "reason": reason, "by": by, "as_json": as_json})
