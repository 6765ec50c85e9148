# SPDX-License-Identifier: Apache-2.0
"""Calls to evaluate come in; turns of the loop are taken, and what they came to goes out."""

from __future__ import annotations

import time

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Action
from lockgate.core.policy.policy import Mode
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.tick import Turn, tick
from lockgate.operations.tick_all import tick_all
from lockgate.report.rollout_document import turn_document
from lockgate.report.signed import signed_by_id, with_signed
from lockgate.server.call import Answer, Call
from lockgate.server.problem import problem_of
from lockgate.server.routes.rollouts import tag

# The one meaning that this status has in an evaluation.
ROLLED_BACK = 422


def evaluate_one(call: Call) -> Answer:
    """Take one turn; 422 with the same body where this turn rolled the candidate back."""
    call.document()
    began = time.perf_counter()
    turn = tick(call.named["id"], call.house, call.caller.ticker())
    call.meter.turned([turn], 0, time.perf_counter() - began)
    call.wake()
    status = ROLLED_BACK if _has_rolled_back(turn) else 200
    said = with_signed(_document(turn), turn.rollout.id, turn.receipt if turn.is_signed else None, call.house)
    return Answer(document=said, status=status, headers=tag(turn.rollout))


def evaluate_all(call: Call) -> Answer:
    """Take one turn of every active rollout that the key is for; always 200, with a result or a problem of each."""
    call.document()
    only = None
    if call.caller.apps is not None:
        only = {each.id for each in list_rollouts(call.house, active=True) if call.caller.covers(each.app)}
    began = time.perf_counter()
    took = tick_all(call.house, only, call.caller.ticker())
    call.meter.turned(took.turns, len(took.problems), time.perf_counter() - began)
    call.wake()
    problems: list[Json] = [{"id": each.rollout_id, **problem_of(each.error).document()} for each in took.problems]
    proven = signed_by_id(took.turns, call.house)
    turns: list[Json] = [{**_document(turn), "signed": proven[turn.rollout.id]} for turn in took.turns]
    return Answer(document={"rollouts": turns, "problems": problems})


def _has_rolled_back(turn: Turn) -> bool:
    transition = turn.transition
    return (
        turn.rollout.mode is Mode.CANARY
        and not transition.before.is_terminal
        and transition.decision.action is Action.ROLLBACK
    )


def _document(turn: Turn) -> dict[str, Json]:
    decision = turn.transition.decision
    document = turn_document(turn.rollout, decision, turn.verdict, turn.receipt)
    return {**document, "would": decision.action.value} if turn.rollout.mode is Mode.SHADOW else document
