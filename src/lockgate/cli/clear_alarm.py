# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its alarm is cleared, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_rollout
def clear_alarm(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """Clear a rollout's sample-ratio alarm when its cause is known; the check starts again."""
    words = {"rollout_id": rollout_id, "reason": reason, "by": by, "as_json": as_json}
    return door.answer("clear-alarm", words)
