# SPDX-License-Identifier: Apache-2.0
"""The id of a paused rollout comes in; it goes on, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_rollout
def resume(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Let a paused rollout go on, and let pass the breaches that paused it."""
    words = {"rollout_id": rollout_id, "reason": reason, "by": by, "as_json": as_json}
    return door.answer("resume", words)
