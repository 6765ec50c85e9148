# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is paused, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_rollout
def pause(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Pause a rollout: nothing is promoted, and a breach still rolls back."""
    words = {"rollout_id": rollout_id, "reason": reason, "by": by, "as_json": as_json}
    return door.answer("pause", words)
