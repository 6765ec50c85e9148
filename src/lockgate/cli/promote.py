# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and what was seen of it come in; it moves one step, and where it stands goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import click

from lockgate.cli import local, request

if TYPE_CHECKING:
    from lockgate.operations.queries import Explanation


class Call(TypedDict):
    """What was called, as click hands it over."""

    rollout_id: str
    reason: str
    by: str | None
    step: int | None
    revision: int | None
    as_json: bool
    yes: bool


@click.command(epilog=request.DONE_IF_SEEN)
@request.of_rollout
@request.what_was_seen
@request.without_question
def promote(**call: object) -> int:
    """Move a rollout one step forward without waiting.

    Without --step and --revision it shows the rollout first, which needs a terminal.
    """
    return _answer(Call(**call))  # type: ignore[typeddict-item]


def _answer(call: Call) -> int:
    from lockgate.cli.sight import sight
    from lockgate.operations.promote import promote as act
    from lockgate.operations.queries import explain

    house, actor, rollout_id = local.known_house(), request.actor(call["by"], call["reason"]), call["rollout_id"]
    with local.named(rollout_id, house):
        seen, is_shown = sight(rollout_id, house, call["step"], call["revision"])
        request.confirm(_question(explain(rollout_id, house)), yes=call["yes"] and not is_shown)
        given = act(rollout_id, seen, actor, house)
    return request.answer(given, house, as_json=call["as_json"])


def _question(said: Explanation) -> str:
    rollout, steps = said.rollout, said.policy.steps
    there, after = steps[rollout.step], steps[min(rollout.step + 1, len(steps) - 1)]
    return f"Promote {rollout.candidate} in {rollout.app} from {there.label()} to {after.label()}, without waiting?"
