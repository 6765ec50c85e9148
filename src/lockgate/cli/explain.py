# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in words."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes, local


@click.command(epilog=exit_codes.LOOKED)
@local.takes_id
@click.option("--json", "as_json", is_flag=True, help="Print headings and sentences as JSON.")
def explain(rollout_id: str, *, as_json: bool) -> int:
    """Say why a rollout holds, what would change it, and how long that takes at this rate."""
    return door.answer("explain", {"rollout_id": rollout_id, "as_json": as_json})
