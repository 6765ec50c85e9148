# SPDX-License-Identifier: Apache-2.0
"""Calls to evaluate come in; turns of the loop are taken, and what they came to goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Action
from lockgate.core.policy.policy import Mode
from lockgate.core.reply import call_digest
from lockgate.errors import UsageError
from lockgate.operations.evaluate import Once, evaluate
from lockgate.operations.queries import list_rollouts
from lockgate.operations.tick import Turn
from lockgate.operations.tick_all import tick_all
from lockgate.report.rollout_document import turn_document
from lockgate.server.call import Answer, Call, encode
from lockgate.server.problem import problem_of

# The one meaning that this status has in an evaluation.
ROLLED_BACK = 422
MAX_KEY = 255


def evaluate_one(call: Call) -> Answer:
    """Take one turn; 422 with the same body where this turn rolled the candidate back."""
    call.document()
    rollout_id = call.named["id"]
    done = evaluate(rollout_id, call.house, _render, _once(call))
    call.wake()
    headers = {"idempotency-replayed": "true"} if done.is_replayed else {}
    return Answer(body=done.body, status=done.status, headers=headers)


def evaluate_all(call: Call) -> Answer:
    """Take one turn of every active rollout that the key is for; always 200, with a result or a problem of each."""
    call.document()
    only = None
    if call.caller.apps is not None:
        only = {each.id for each in list_rollouts(call.house, active=True) if call.caller.covers(each.app)}
    took = tick_all(call.house, only)
    call.wake()
    problems: list[Json] = [{"id": each.rollout_id, **problem_of(each.error).document()} for each in took.problems]
    return Answer(document={"rollouts": [_document(turn) for turn in took.turns], "problems": problems})


def _render(turn: Turn) -> tuple[int, bytes]:
    transition = turn.transition
    has_rolled_back = (
        turn.rollout.mode is Mode.CANARY
        and not transition.before.is_terminal
        and transition.decision.action is Action.ROLLBACK
    )
    return ROLLED_BACK if has_rolled_back else 200, encode(_document(turn))


def _document(turn: Turn) -> dict[str, Json]:
    decision = turn.transition.decision
    document = turn_document(turn.rollout, decision, turn.verdict, turn.receipt)
    return {**document, "would": decision.action.value} if turn.rollout.mode is Mode.SHADOW else document


def _once(call: Call) -> Once | None:
    key = call.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise UsageError(
            f"the Idempotency-Key has {len(key)} characters, or some that are not ASCII",
            advice=f"Send 1 to {MAX_KEY} printable characters.",
        )
    # Who calls is part of it: nobody is answered with what another was.
    name = f"{call.caller.kind} {call.caller.name} {key}"
    return Once(name, call_digest(call.method.encode(), call.path.encode(), call.body))
