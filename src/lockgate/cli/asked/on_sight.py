# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and what was seen of it come in; the step is approved or left, and where it stands goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.cli.asked import act
from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import Actor
from lockgate.errors import UsageError
from lockgate.operations.asking.queries import Explanation, explain
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.intervention import Answer
from lockgate.operations.steering.promote import promote
from lockgate.ports.house import House
from lockgate.report.view import render_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; `may_ask`: a person is there who can be shown the rollout and asked."""

    rollout_id: str
    reason: str
    by: str | None = None
    step: int | None = None
    revision: int | None = None
    yes: bool = False
    may_ask: bool = False
    as_json: bool = False


def answer_approve(words: Words, desk: Desk) -> Said:
    """Let a rollout leave the step that was seen."""
    # What was named was seen: only what is shown here is asked about.
    is_sure = words.yes or words.step is not None
    return _answer(words, desk, approve, lambda said: _approval(words, said), is_sure=is_sure)


def answer_promote(words: Words, desk: Desk) -> Said:
    """Move a rollout one step forward without waiting."""
    return _answer(words, desk, promote, _promotion, is_sure=words.yes)


def _answer(
    words: Words,
    desk: Desk,
    do: Callable[[str, Seen, Actor, House], Answer],
    question: Callable[[Explanation], str],
    *,
    is_sure: bool,
) -> Said:
    house = desk.place.known_house()
    with desk.place.named(words.rollout_id, house):
        actor = desk.place.actor(words.by, words.reason)
        if words.step is None or words.revision is None:
            return _shown(words, desk, house, question)
        if not is_sure:
            return desk.said(question=question(explain(words.rollout_id, house)))
        given = do(words.rollout_id, Seen(words.step, words.revision), actor, house)
    return act.stands(given, house, desk, as_json=words.as_json)


def _shown(words: Words, desk: Desk, house: House, question: Callable[[Explanation], str]) -> Said:
    """Show the rollout and ask about what is shown, where nothing was named and somebody is there."""
    if (words.step, words.revision) != (None, None) or not words.may_ask:
        raise UsageError(
            "name the step and the revision that you saw, both",
            advice="`lockgate show --json` has them: --step N --revision N.",
        )
    said = explain(words.rollout_id, house)
    desk.say(render_view(said, house.clock.now(), desk.screen))
    seen = {"step": said.rollout.step, "revision": said.rollout.revision}
    return desk.said(question=question(said), more=seen)


def _approval(words: Words, said: Explanation) -> str:
    return f"Approve leaving step {said.rollout.step} of {words.rollout_id}?"


def _promotion(said: Explanation) -> str:
    rollout, steps = said.rollout, said.policy.steps
    there, after = steps[rollout.step], steps[min(rollout.step + 1, len(steps) - 1)]
    return f"Promote {rollout.candidate} in {rollout.app} from {there.label()} to {after.label()}, without waiting?"
