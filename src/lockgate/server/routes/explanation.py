# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; why it holds, what would change that and how long it takes go out in sentences."""

from __future__ import annotations

from lockgate.operations.asking.anytime import anytime_intervals
from lockgate.operations.asking.queries import explain
from lockgate.report.ending import ending
from lockgate.report.explained import explained, explained_document
from lockgate.server.call import Answer, Call


def explain_one(call: Call) -> Answer:
    """Return what `lockgate explain --json` prints; it says what time it is, and so has no tag."""
    said = explain(call.named["id"], call.house)
    intervals = anytime_intervals(said.trial, call.house)
    parts = explained(said, call.house.clock.now(), ending(said.rollout, call.house), intervals)
    return Answer(document=explained_document(said, parts, intervals))
