# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout, or all of them, comes in; one turn of the loop is taken, and what it came to goes out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from lockgate.cli import exit_codes
from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.canonical import Json
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.errors import LockgateError
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.asking.successor import successor
from lockgate.operations.tick import Turn, tick
from lockgate.operations.tick_all import Problem, Round, tick_all
from lockgate.ports.house import House
from lockgate.report.listing import change_of, render_change
from lockgate.report.rollout_document import turn_document
from lockgate.report.signed import signed_by_id, with_signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; without an id the turn is one of all that whoever asks may see."""

    rollout_id: str | None = None
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Take one turn of the loop: read what was sealed, decide, sign."""
    place = desk.place
    house = place.known_house()
    began = time.perf_counter()
    if words.rollout_id is None:
        took = tick_all(house, None if place.is_local else _covered(house, desk), place.ticker())
    else:
        with place.named(words.rollout_id, house):
            took = Round((tick(words.rollout_id, house, place.ticker()),), ())
    place.turned(took.turns, len(took.problems), time.perf_counter() - began)
    untold = place.deliver(house, None if words.rollout_id is None else took.turns[0].rollout.app)
    _say(words, took, house, desk)
    _tell([(each.rollout_id, each.error) for each in took.problems], desk)
    desk.tell(*untold)
    if words.rollout_id is None:
        return desk.said(max((exit_codes.of_error(each.error) for each in took.problems), default=0))
    return desk.said(_code(took.turns[0].rollout, house))


def _covered(house: House, desk: Desk) -> set[str]:
    return {each.id for each in list_rollouts(house, active=True) if desk.place.covers(each.app)}


def _say(words: Words, took: Round, house: House, desk: Desk) -> None:
    if not words.as_json:
        lines = [render_change(change_of(each.transition), desk.screen) for each in took.turns]
        desk.say("".join(lines) or ("" if took.problems else "No rollout is active.\n"))
        return
    if words.rollout_id is not None:
        turn = took.turns[0]
        seq = turn.receipt if turn.is_signed else None
        desk.emit_json(with_signed(_turn(turn), turn.rollout.id, seq, house))
        return
    proven = signed_by_id(took.turns, house)
    turns = [{**_turn(each), "signed": proven[each.rollout.id]} for each in took.turns]
    desk.emit_json({"rollouts": turns, "problems": [_document(each) for each in took.problems]})


def _turn(turn: Turn) -> dict[str, Json]:
    return turn_document(turn.rollout, turn.transition.decision, turn.verdict, turn.receipt)


def _document(problem: Problem) -> dict[str, object]:
    code = exit_codes.of_error(problem.error)
    return {"id": problem.rollout_id, "code": code, "message": str(problem.error)}


def _tell(problems: Sequence[tuple[str, LockgateError]], desk: Desk) -> None:
    """Name what could not take its turn; where all have one reason, as when the store is held, it is said once."""
    together: dict[str, list[str]] = {}
    for rollout_id, error in problems:
        together.setdefault(str(error), []).append(rollout_id)
    for reason, (first, *others) in together.items():
        desk.tell(f"{first}{f' and {len(others):,} more' if others else ''}: {reason}")


def _code(rollout: Rollout, house: House) -> int:
    """Return how a canary has ended, whoever ended it: a job that comes after a rollback must not pass."""
    if rollout.mode is Mode.SHADOW or not rollout.is_terminal:
        return exit_codes.OK.code
    return exit_codes.of_status(rollout.status.value, superseded=successor(rollout, house) is not None)
