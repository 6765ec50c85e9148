# SPDX-License-Identifier: Apache-2.0
"""What an operator asks of a rollout comes in, by name; it is done, and where the rollout stands goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.receipt import Actor
from lockgate.operations.asking.queries import find_rollout
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.steering.clear_alarm import clear_alarm
from lockgate.operations.steering.intervention import Answer
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.ports.house import House
from lockgate.report.answered import answered_document, render_answered
from lockgate.report.signed import with_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called."""

    rollout_id: str
    reason: str
    by: str | None = None
    as_json: bool = False


def stands(given: Answer, house: House, desk: Desk, *, as_json: bool) -> Said:
    """Let a rollout's router be told, and say where the rollout stands."""
    untold = desk.place.deliver(house, given.rollout.app)
    if as_json:
        seq = given.receipt if given.is_signed else None
        desk.emit_json(with_signed(answered_document(given), given.rollout.id, seq, house))
    else:
        desk.say(render_answered(given, desk.screen))
    desk.tell(*untold)
    return desk.said()


def _doing(act: Callable[[str, Actor, House], Answer]) -> Callable[[Words, Desk], Said]:
    def answer(words: Words, desk: Desk) -> Said:
        house = desk.place.known_house()
        with desk.place.named(words.rollout_id, house):
            given = act(words.rollout_id, desk.place.actor(words.by, words.reason), house)
        return stands(given, house, desk, as_json=words.as_json)

    return answer


answer_pause = _doing(pause)
answer_resume = _doing(resume)
answer_cancel = _doing(cancel)


def answer_clear_alarm(words: Words, desk: Desk) -> Said:
    """Clear a rollout's sample-ratio alarm when its cause is known; the check starts again."""
    house = desk.place.known_house()
    with desk.place.named(words.rollout_id, house):
        before = find_rollout(words.rollout_id, house)
        given = clear_alarm(words.rollout_id, desk.place.actor(words.by, words.reason), house)
    if given.rollout.revision == before.revision:
        desk.tell("note: no alarm was on, so nothing was cleared")
    return stands(given, house, desk, as_json=words.as_json)
