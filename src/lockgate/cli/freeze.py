# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; it is frozen, or no longer, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request

EPILOG = "Exit codes: 0 done, also when it was so already; 64 usage, 75 the store is held."


@click.command(epilog=EPILOG)
@request.of_app
def freeze(app_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Let nothing of an app start or be promoted; rollback always works."""
    from lockgate.operations.freeze import freeze as act

    house = local.known_house()
    return request.answer_app(act(app_id, request.actor(by, reason), house), house, as_json=as_json)


@click.command(epilog=EPILOG)
@request.of_app
def unfreeze(app_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """End an app's freeze, whether a freeze or a kill began it."""
    from lockgate.operations.freeze import unfreeze as act

    house = local.house()
    return request.answer_app(act(app_id, request.actor(by, reason), house), house, as_json=as_json)
