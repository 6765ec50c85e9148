# SPDX-License-Identifier: Apache-2.0
"""What operators ask of a rollout comes in, with a reason; it is done, and where the rollout stands goes out."""

from __future__ import annotations

from collections.abc import Callable

from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import Actor
from lockgate.errors import UsageError
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.steering.clear_alarm import clear_alarm
from lockgate.operations.steering.intervention import Answer as Answered
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.ports.house import House
from lockgate.report.answered import answered_document
from lockgate.report.signed import with_signed
from lockgate.server.call import Answer, Call, Handler, whole_of
from lockgate.server.routes.rollouts import tag


def _act(act: Callable[[str, Actor, House], Answered]) -> Handler:
    def handle(call: Call) -> Answer:
        document = call.document("reason")
        return _answer(call, act(call.named["id"], call.actor(document), call.house))

    return handle


def _act_on_sight(act: Callable[[str, Seen, Actor, House], Answered]) -> Handler:
    def handle(call: Call) -> Answer:
        document = call.document("reason", "step", "revision")
        step, revision = whole_of(document, "step"), whole_of(document, "revision")
        if step is None or revision is None:
            raise UsageError(
                "name the step and the revision that you saw, both",
                advice='GET the rollout, then send {"step": ..., "revision": ..., "reason": "..."}.',
            )
        return _answer(call, act(call.named["id"], Seen(step, revision), call.actor(document), call.house))

    return handle


def _answer(call: Call, given: Answered) -> Answer:
    call.wake()
    seq = given.receipt if given.is_signed else None
    said = with_signed(answered_document(given), given.rollout.id, seq, call.house)
    return Answer(document=said, headers=tag(given.rollout))


pause_one = _act(pause)
resume_one = _act(resume)
cancel_one = _act(cancel)
rollback_one = _act(rollback)
clear_alarm_of = _act(clear_alarm)
approve_one = _act_on_sight(approve)
promote_one = _act_on_sight(promote)
