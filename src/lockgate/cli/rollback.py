# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is rolled back, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request


@click.command(epilog=request.DONE)
@request.of_rollout
@request.without_question
def rollback(rollout_id: str, reason: str, by: str | None, *, as_json: bool, yes: bool) -> int:
    """Take a candidate out of traffic for good; the last promoted one too, until the next rollout starts."""
    from lockgate.operations.queries import find_rollout, find_way_back
    from lockgate.operations.rollback import rollback as act

    house, actor = local.known_house(), request.actor(by, reason)
    with local.named(rollout_id, house):
        rollout = find_rollout(rollout_id, house)
        back = find_way_back(rollout, house)
        goes = "" if back is None else f" to {back}"
        request.confirm(f"Roll back {rollout.candidate} in {rollout.app}{goes}, for good?", yes=yes)
        with request.with_lost_keys(["rollback", "--id", rollout_id], reason, by):
            given = act(rollout_id, actor, house)
    return request.answer(given, house, as_json=as_json)
