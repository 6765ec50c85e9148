# SPDX-License-Identifier: Apache-2.0
"""A rollout that was rolled back comes in; the newer one that replaced it, if that is why, goes out."""

from __future__ import annotations

from lockgate.core.decision.decision import Cause
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.ports.house import House


def successor(rollout: Rollout, house: House) -> Rollout | None:
    """Return the rollout whose start rolled this one back."""
    if rollout.status is not Status.ROLLED_BACK:
        return None
    with house.store.reading(house.org) as seen:
        last = seen.latest_receipt(rollout.id)
        others = seen.rollouts(rollout.app)
    if last is None or last.cause != Cause.REPLACED.value:
        return None
    # It stood where only one may, and the one that begins next took its place in the same transaction.
    newer = others[[each.id for each in others].index(rollout.id) + 1 :]
    return next(each for each in newer if each.mode is Mode.CANARY)
