# SPDX-License-Identifier: Apache-2.0
"""The id of a paused rollout comes in; it goes on, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request


@click.command(epilog=request.DONE)
@request.of_rollout
def resume(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Let a paused rollout go on, and let pass the breaches that paused it."""
    from lockgate.operations.resume import resume as act

    house = local.known_house()
    with local.named(rollout_id, house):
        given = act(rollout_id, request.actor(by, reason), house)
    return request.answer(given, house, as_json=as_json)
