# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout whose split is off comes in; the check starts again, and it goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, requested
from lockgate.ports.house import House


def clear_alarm(rollout_id: str, actor: Actor, house: House) -> Answer:
    """Clear the sample-ratio alarm of a rollout, so that its check starts again."""
    return ask(rollout_id, requested(Action.CLEAR, actor), actor, house)
