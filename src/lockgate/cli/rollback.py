# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is rolled back, and where it stands goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, request


@click.command(epilog=request.DONE)
@request.of_rollout
@request.without_question
def rollback(rollout_id: str, reason: str, by: str | None, *, as_json: bool, yes: bool) -> int:
    """Take a candidate out of traffic for good; the last promoted one too, until the next rollout starts."""
    words = {"rollout_id": rollout_id, "reason": reason, "by": by, "yes": yes, "as_json": as_json}
    return door.answer("rollback", words)
