# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; where it stands and what each gate's evidence says go out, and nothing is moved."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes, local


@click.command(epilog=exit_codes.LOOKED)
@local.takes_id
@click.option("--json", "as_json", is_flag=True, help="Print the rollout as JSON.")
def show(rollout_id: str, *, as_json: bool) -> int:
    """Show where a rollout stands, without a tick."""
    return door.answer("show", {"rollout_id": rollout_id, "as_json": as_json})
