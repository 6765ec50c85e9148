# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and what was seen of it come in; the step is approved, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE_IF_SEEN)
@request.of_rollout
@request.what_was_seen
def approve(
    rollout_id: str, reason: str, by: str | None, step: int | None, revision: int | None, *, as_json: bool
) -> int:
    """Let a rollout leave the step that you saw.

    Without --step and --revision it shows the rollout and asks, which needs a terminal.
    """
    words = {
        "rollout_id": rollout_id,
        "reason": reason,
        "by": by,
        "step": step,
        "revision": revision,
        "may_ask": door.may_ask(),
        "as_json": as_json,
    }
    return door.answer("approve", words)
