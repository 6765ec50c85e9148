# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or all of them, comes in; one turn of the loop is taken, and what it came to goes out."""

from __future__ import annotations

import click

from lockgate.cli import door, exit_codes
from lockgate.errors import UsageError

EPILOG = f"""
Exit codes: 0 the turn was taken; with --id and of a canary 1 it is rolled back, by this turn or before, and 4 it is
cancelled or superseded; 64 no such rollout; {exit_codes.OF_STORE}
With --all a rollout that cannot take its turn keeps no other from it: it is named on standard error, and the exit code
is that of the worst problem, the highest number.
"""


@click.command(epilog=EPILOG)
@click.option("--id", "rollout_id", metavar="ID", help="The rollout.")
@click.option("--all", "is_all", is_flag=True, help="Every active rollout.")
@click.option("--json", "as_json", is_flag=True, help="Print what the turn came to as JSON.")
def tick(rollout_id: str | None, *, is_all: bool, as_json: bool) -> int:
    """Take one turn of the loop: read what was sealed, decide, sign."""
    if (rollout_id is None) is not is_all:
        raise UsageError("a tick is of one rollout or of all", advice="Call with --id ID, or with --all.")
    return door.answer("tick", {"rollout_id": rollout_id, "as_json": as_json})
