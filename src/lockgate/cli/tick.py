# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or all of them, comes in; one turn of the loop is taken, and what it came to goes out."""

from __future__ import annotations

from collections.abc import Sequence

import click

from lockgate.cli import delivery, exit_codes, local, output
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.errors import LockgateError, UsageError
from lockgate.ports.house import House

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
    from lockgate.operations.tick import tick as turn_of
    from lockgate.operations.tick_all import Problem, tick_all

    if (rollout_id is None) is not is_all:
        raise UsageError("a tick is of one rollout or of all", advice="Call with --id ID, or with --all.")
    house = local.known_house()
    problems: tuple[Problem, ...] = ()
    if rollout_id is None:
        took = tick_all(house)
        turns, problems = took.turns, took.problems
    else:
        with local.named(rollout_id, house):
            turns = (turn_of(rollout_id, house),)
    untold = delivery.tell(house, None if is_all else turns[0].rollout.app)
    if as_json:
        from lockgate.report.rollout_document import turn_document

        documents = [
            turn_document(each.rollout, each.transition.decision, each.verdict, each.receipt) for each in turns
        ]
        unable = [
            {"id": each.rollout_id, "code": exit_codes.of_error(each.error), "message": str(each.error)}
            for each in problems
        ]
        output.emit_json({"rollouts": documents, "problems": unable} if is_all else documents[0])
    else:
        from lockgate.report.listing import change_of, render_change

        lines = [render_change(change_of(each.transition), local.screen()) for each in turns]
        output.say("".join(lines) or ("" if problems else "No rollout is active.\n"))
    _tell([(each.rollout_id, each.error) for each in problems])
    delivery.warn(untold)
    if is_all:
        return max((exit_codes.of_error(problem.error) for problem in problems), default=exit_codes.OK.code)
    return _code(turns[0].rollout, house)


def _tell(problems: Sequence[tuple[str, LockgateError]]) -> None:
    """Name what could not take its turn; where all have one reason, as when the store is held, it is said once."""
    together: dict[str, list[str]] = {}
    for rollout_id, error in problems:
        together.setdefault(str(error), []).append(rollout_id)
    for reason, (first, *others) in together.items():
        local.tell(f"{first}{f' and {len(others):,} more' if others else ''}: {reason}")


def _code(rollout: Rollout, house: House) -> int:
    """Return how a canary has ended, whoever ended it: a job that comes after a rollback must not pass."""
    from lockgate.operations.successor import successor

    if rollout.mode is Mode.SHADOW or not rollout.is_terminal:
        return exit_codes.OK.code
    return exit_codes.of_status(rollout.status.value, superseded=successor(rollout, house) is not None)
