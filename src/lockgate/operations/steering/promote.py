# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and where it was seen come in; it moves one step, and goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, requested
from lockgate.ports.house import House


def promote(rollout_id: str, seen: Seen, actor: Actor, house: House) -> Answer:
    """Move a rollout one step forward without waiting."""
    return ask(rollout_id, requested(Action.PROMOTE, actor, seen), actor, house)
