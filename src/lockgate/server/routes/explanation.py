# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in sentences."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.operations.anytime import anytime_intervals
from lockgate.operations.queries import explain, receipts_of
from lockgate.report.decided import reason_of, way_back_of
from lockgate.report.explained import explained
from lockgate.server.call import Answer, Call
from lockgate.server.routes.rollouts import tag


def explain_one(call: Call) -> Answer:
    """Return what `lockgate explain --json` prints."""
    said = explain(call.named["id"], call.house)
    intervals = anytime_intervals(said.trial, call.house)
    parts = explained(said, call.house.clock.now(), _ending(said.rollout, call), intervals)
    document: dict[str, Json] = {
        "id": said.rollout.id,
        "parts": [{"heading": part.heading, "sentences": list(part.sentences)} for part in parts],
        "anytime": {interval.gate.id: interval.document() for interval in intervals},
    }
    return Answer(document=document, headers=tag(said.rollout))


def _ending(rollout: Rollout, call: Call) -> str:
    """Return why a rollout ended, and where its traffic goes; nothing while it has not."""
    if not rollout.is_terminal:
        return ""
    last = receipts_of(rollout.id, call.house)[-1]
    back = way_back_of(last) if rollout.mode is not Mode.SHADOW else ""
    return f"{reason_of(last)}; {back}" if back else reason_of(last)
