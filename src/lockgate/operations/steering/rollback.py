# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its candidate serves nothing any more, and it goes out as it stands."""

from __future__ import annotations

from lockgate.core.decision.decision import Action
from lockgate.core.receipt import Actor
from lockgate.operations.steering.intervention import Answer, ask, insist, requested
from lockgate.ports.house import House


def rollback(rollout_id: str, actor: Actor, house: House) -> Answer:
    """End a rollout at no traffic; the last promoted one can still be rolled back until the next starts."""
    return insist(lambda: ask(rollout_id, requested(Action.ROLLBACK, actor), actor, house))
