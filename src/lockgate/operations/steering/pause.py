# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; it is paused, so that nothing is promoted, and goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, insist, requested
from lockgate.ports.house import House


def pause(rollout_id: str, actor: Actor, house: House) -> Answer:
    """Stop the promotion of a rollout; it is still ticked and can be rolled back."""
    return insist(lambda: ask(rollout_id, requested(Action.PAUSE, actor), actor, house))
