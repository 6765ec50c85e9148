# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is cancelled, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_rollout
def cancel(rollout_id: str, reason: str, by: str | None, *, as_json: bool) -> int:
    """End a rollout that users have not met; one that they meet is rolled back."""
    words = {"rollout_id": rollout_id, "reason": reason, "by": by, "as_json": as_json}
    return door.answer("cancel", words)
