# SPDX-License-Identifier: Apache-2.0
"""The weight that somebody saw live comes in; the rollout knows it, and where it stands goes out."""

from __future__ import annotations

from lockgate.errors import UsageError
from lockgate.operations.steering.acknowledge import FULL, Observation
from lockgate.operations.steering.observed_weight import observed_weight
from lockgate.report.rollout_document import rollout_document
from lockgate.server.call import Answer, Call, whole_of
from lockgate.server.routes.rollouts import tag

FIELDS = ("weight", "revision")


def acknowledge_weight(call: Call) -> Answer:
    """Let a rollout know which weight is live, seen by one who had been told of a revision."""
    document = call.document(*FIELDS)
    weight, revision = document.get("weight"), whole_of(document, "revision")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= FULL:
        raise UsageError("weight is no number of percent", advice="Send what is live: a number from 0 to 100.")
    if revision is None:
        raise UsageError(
            "revision is missing", advice="Send the revision of the message, or of the rollout, by which it was set."
        )
    observed = Observation(rollout_id=call.named["id"], revision=revision, weight=float(weight))
    rollout = observed_weight(observed, call.caller.actor(f"{observed.weight:g} % is live"), call.house)
    call.wake()
    return Answer(document=rollout_document(rollout), headers=tag(rollout))
