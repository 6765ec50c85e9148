# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and where it was seen come in; the step may be left, and the rollout goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, requested
from lockgate.ports.house import House


def approve(rollout_id: str, seen: Seen, actor: Actor, house: House) -> Answer:
    """Let a rollout leave the step that was seen, when the rest of it is satisfied."""
    return ask(rollout_id, requested(Action.APPROVE, actor, seen), actor, house)
