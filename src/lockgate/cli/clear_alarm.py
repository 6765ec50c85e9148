# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its alarm is cleared, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request


@click.command(epilog=request.DONE)
@request.of_rollout
def clear_alarm(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Clear a rollout's sample-ratio alarm when its cause is known; the check starts again."""
    from lockgate.operations.clear_alarm import clear_alarm as act
    from lockgate.operations.queries import find_rollout

    house = local.known_house()
    with local.named(rollout_id, house):
        before = find_rollout(rollout_id, house)
        given = act(rollout_id, request.actor(by, reason), house)
    code = request.answer(given, house, as_json=as_json)
    if given.rollout.revision == before.revision:
        local.tell("note: no alarm was on, so nothing was cleared")
    return code
