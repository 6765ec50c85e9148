# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and what was seen of it come in; the step is approved, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import local, request


@click.command(epilog=request.DONE_IF_SEEN)
@request.of_rollout
@request.what_was_seen
def approve(
    rollout_id: str, reason: str, by: str | None, step: int | None, revision: int | None, *, as_json: bool
) -> int:
    """Let a rollout leave the step that you saw.

    Without --step and --revision it shows the rollout and asks, which needs a terminal.
    """
    from lockgate.cli.sight import sight
    from lockgate.operations.approve import approve as act

    house, actor = local.known_house(), request.actor(by, reason)
    with local.named(rollout_id, house):
        seen, is_shown = sight(rollout_id, house, step, revision)
        request.confirm(f"Approve leaving step {seen.step} of {rollout_id}?", yes=not is_shown)
        given = act(rollout_id, seen, actor, house)
    return request.answer(given, house, as_json=as_json)
