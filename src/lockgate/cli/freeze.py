# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; it is frozen, or no longer, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request


@click.command(epilog=request.DONE)
@request.of_app
def freeze(app_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Let nothing of an app start or be promoted; rollback always works."""
    from lockgate.operations.freeze import freeze as act

    house = local.known_house()
    stands = (act(app_id, request.actor(by, reason), house),)
    return request.answer_apps(stands, house, as_json=as_json)


@click.command(epilog=request.DONE)
@request.of_app_or_all
@request.who_and_why
def unfreeze(app_id: str | None, reason: str, by: str | None, *, is_all: bool, as_json: bool) -> int:
    """End an app's freeze, whether a freeze or a kill began it."""
    from lockgate.operations.freeze import unfreeze as act
    from lockgate.operations.freeze import unfreeze_all

    request.check_which(app_id, is_all=is_all)
    house, actor = local.known_house(), request.actor(by, reason)
    stands = unfreeze_all(actor, house) if app_id is None else (act(app_id, actor, house),)
    return request.answer_apps(stands, house, is_all=is_all, as_json=as_json)
