# SPDX-License-Identifier: Apache-2.0
"""The id of a paused rollout comes in; it goes on, and goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, requested
from lockgate.ports.house import House


def resume(rollout_id: str, actor: Actor, house: House) -> Answer:
    """Let a paused rollout go on; the breaches that paused it are let pass."""
    return ask(rollout_id, requested(Action.RESUME, actor), actor, house)
