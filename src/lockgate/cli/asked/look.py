# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout that is watched, and what was told of it, come in; what is new of it, or a drawing, goes out."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.decision.decision import Cause
from lockgate.core.finding import Finding, Outcome
from lockgate.core.wording import duration_words
from lockgate.errors import TryAgainError
from lockgate.operations.asking.queries import Explanation, explain, receipts_of
from lockgate.operations.asking.successor import successor
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.report.decided import reason_of
from lockgate.report.ending import ending
from lockgate.report.listing import Change, render_change
from lockgate.report.remedy import learning
from lockgate.report.rollout_document import change_document
from lockgate.report.standing import late
from lockgate.report.view import aside_words, render_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called: `left_s` is how long is still watched, and where it is given all is drawn.

    `revision`, `held`, `untold` and `is_overdue` are what was told before. `over_s`: the time is over, after so long.
    """

    rollout_id: str
    as_json: bool = False
    left_s: int | None = None
    over_s: int | None = None
    revision: int = -1
    held: list[str]
    untold: list[str]
    is_overdue: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Say what is new, without a turn."""
    house = desk.place.house_to_read()
    with desk.place.named(words.rollout_id, house):
        said = explain(words.rollout_id, house)
    return _said(said, desk.place.untold(house, said.rollout.app), words, house, desk)


def answer_turn(words: Words, desk: Desk) -> Said:
    """Take a turn, and say what is new."""
    house = desk.place.known_house()
    with desk.place.named(words.rollout_id, house):
        # Somebody else may take this turn, or hold the store: what came of it is seen below.
        with suppress(TryAgainError):
            began = time.perf_counter()
            turn = tick(words.rollout_id, house, desk.place.ticker())
            desk.place.turned([turn], 0, time.perf_counter() - began)
        said = explain(words.rollout_id, house)
    return _said(said, desk.place.deliver(house, said.rollout.app), words, house, desk)


def answer_end(words: Words, desk: Desk) -> Said:
    """Take the candidate out of traffic, because nobody waits for it any more, and say what is new."""
    house = desk.place.known_house()
    why = f"undecided when watching ended after {duration_words(words.over_s or 0)}"
    with desk.place.named(words.rollout_id, house):
        rollback(words.rollout_id, desk.place.actor(_watcher(desk), why), house)
        said = explain(words.rollout_id, house)
    return _said(said, desk.place.deliver(house, said.rollout.app), words, house, desk)


def _watcher(desk: Desk) -> str:
    return desk.place.actor().name or "lockgate watch"


def _said(said: Explanation, untold: tuple[str, ...], words: Words, house: House, desk: Desk) -> Said:
    told: dict[str, object] = {}
    if words.left_s is None:
        told = _news(said, untold, words, house, desk)
    else:
        end = ending(said.rollout, house)
        left_s = words.left_s if words.over_s is None else None
        desk.say(render_view(said, house.clock.now(), desk.screen, end, untold, left_s))
    return _ended(said, words, house, desk, told)


def _ended(said: Explanation, words: Words, house: House, desk: Desk, told: dict[str, object]) -> Said:
    """Return what was said, with what is to be known at the end."""
    rollout = said.rollout
    newer = successor(rollout, house)
    if words.over_s is not None and not rollout.is_terminal:
        desk.tell(late(rollout, said.decision, words.over_s))
    over = rollout.is_terminal or words.over_s is not None
    if newer is not None and over:
        desk.tell(
            f"superseded: {newer.id} tries {newer.candidate} instead; `lockgate watch --id {newer.id}` watches it"
        )
    facts = {"status": rollout.status.value, "is_terminal": rollout.is_terminal, "is_superseded": newer is not None}
    return desk.said(more={"facts": facts, "told": told})


def _news(said: Explanation, untold: tuple[str, ...], words: Words, house: House, desk: Desk) -> dict[str, object]:
    """Tell a change of step or status, and of what holds the rollout; return what has been told by now."""
    rollout, decision = said.rollout, said.decision
    if rollout.revision != words.revision:
        receipts = receipts_of(rollout.id, house)
        receipt = next((each for each in receipts if each.revision == rollout.revision), receipts[-1])
        _tell(Change(rollout, receipt.action, receipt.cause, reason_of(receipt), receipt.at), words, desk)
    aside = aside_words(said)
    held = [
        str(rollout.step),
        decision.action.value,
        decision.cause.value,
        *_stages(said),
        *(["aside"] if aside else []),
    ]
    if not rollout.is_terminal and held != words.held:
        now = house.clock.now()
        reason = f"{decision.reason}; {aside}" if aside else decision.reason
        _tell(Change(rollout, decision.action.value, decision.cause.value, reason, now), words, desk)
    if said.overdue is not None and not words.is_overdue:
        desk.tell(f"overdue: {said.overdue}")
    # How long until the next try is new each time, and no news.
    heads = [sentence.partition(";")[0] for sentence in untold]
    if heads != words.untold:
        desk.tell(*untold)
    return {
        "revision": rollout.revision,
        "held": words.held if rollout.is_terminal else held,
        "untold": heads,
        "is_overdue": said.overdue is not None,
    }


def _stages(said: Explanation) -> list[str]:
    """Return how far each gate has come where runs are waited for: its numbers are new each time, and no news."""
    if said.decision.cause not in (Cause.INSUFFICIENT, Cause.UNAVAILABLE):
        return []
    return [f"{each.gate} {_stage(said, each)}" for each in said.verdict.findings]


def _stage(said: Explanation, finding: Finding) -> str:
    if finding.outcome is Outcome.UNAVAILABLE or finding.candidate.n == 0:
        return "none"
    return "compared" if learning(said, finding) is None else "learning"


def _tell(change: Change, words: Words, desk: Desk) -> None:
    if words.as_json:
        desk.emit_json(change_document(change), indent=None)
    else:
        desk.say(render_change(change, desk.screen))
