# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout that nobody meets comes in; it ends, and goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, requested
from lockgate.ports.house import House


def cancel(rollout_id: str, actor: Actor, house: House) -> Answer:
    """End a rollout that users have not met."""
    return ask(rollout_id, requested(Action.CANCEL, actor), actor, house)
