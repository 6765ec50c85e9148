# SPDX-License-Identifier: Apache-2.0
"""A weight that somebody saw live comes in; the rollout that knows it goes out, or that it asks for another by now."""

from __future__ import annotations

from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout
from lockgate.errors import NotPermittedError, TryAgainError
from lockgate.operations.line.reading import load
from lockgate.operations.steering.acknowledge import Observation, observe
from lockgate.operations.vault.keeping import changing
from lockgate.ports.house import House


def observed_weight(observed: Observation, actor: Actor, house: House) -> Rollout:
    """Let a rollout know the weight that is live; who was told of an earlier weight is told that there is another."""
    with changing(house) as work:
        trial, _ = load(work, observed.rollout_id)
        rollout = trial.rollout
        asked_at = rollout.revision if rollout.is_terminal or not trial.spans else trial.spans[-1].revision
        if rollout.mode is Mode.SHADOW:
            raise NotPermittedError(f"{rollout.id} is in shadow mode and moves no weight", advice="Say nothing of it.")
        if observed.revision > rollout.revision:
            raise TryAgainError(
                f"{rollout.id} has revision {rollout.revision}, not yet {observed.revision}",
                advice="Nothing was stored.",
            )
        if observed.revision < asked_at:
            raise TryAgainError(
                f"{rollout.id} asks for {rollout.exposed_weight:g} % since revision {asked_at}, "
                f"and this was seen of revision {observed.revision}",
                advice="Set that weight, then say what is live. Nothing was stored.",
            )
        return observe(work, house, observed, actor)
