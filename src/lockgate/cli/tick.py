# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or all of them, comes in; one turn of the loop is taken, and what it came to goes out."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output
from lockgate.core.policy.policy import Mode
from lockgate.core.transition import Transition
from lockgate.errors import UsageError

EPILOG = """
Exit codes: 0 the turn was taken, 1 it rolled the candidate of --id back (never with --all or in shadow mode),
64 no such rollout, 75 the store is held.
"""


@click.command(epilog=EPILOG)
@click.option("--id", "rollout_id", metavar="ID", help="The rollout.")
@click.option("--all", "is_all", is_flag=True, help="Every active rollout.")
@click.option("--json", "as_json", is_flag=True, help="Print what the turn came to as JSON.")
def tick(rollout_id: str | None, *, is_all: bool, as_json: bool) -> int:
    """Take one turn of the loop: read what was sealed, decide, sign."""
    from lockgate.operations.tick import tick as turn_of
    from lockgate.operations.tick import tick_all

    if (rollout_id is None) is not is_all:
        raise UsageError("a tick is of one rollout or of all", advice="Call with --id ID, or with --all.")
    house = local.house()
    if rollout_id is None:
        turns = tick_all(house)
    else:
        with local.named(rollout_id, house):
            turns = (turn_of(rollout_id, house),)
    if as_json:
        from lockgate.report.rollout_document import turn_document

        documents = [
            turn_document(each.rollout, each.transition.decision, each.verdict, each.receipt) for each in turns
        ]
        local.emit({"rollouts": documents} if is_all else documents[0])
    else:
        from lockgate.report.listing import change_of, render_change

        lines = [render_change(change_of(each.transition), local.screen()) for each in turns]
        output.say("".join(lines) or "No rollout is active.\n")
    return exit_codes.OK.code if is_all else _code(turns[0].transition)


def _code(transition: Transition) -> int:
    """Return whether this very turn rolled traffic back."""
    before, after = transition.before, transition.after
    has_moved = after.mode is Mode.CANARY and before.status is not after.status
    return exit_codes.of_status(after.status.value) if has_moved and after.is_terminal else exit_codes.OK.code
