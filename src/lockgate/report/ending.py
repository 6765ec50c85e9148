# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; why it ended, in words, goes out."""

from __future__ import annotations

from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.queries import receipts_of
from lockgate.ports.house import House
from lockgate.report.decided import reason_of, way_back_of


def ending(rollout: Rollout, house: House) -> str:
    """Return why a rollout ended and where its traffic goes, as its last receipt says; nothing while it has not."""
    if not rollout.is_terminal:
        return ""
    last = receipts_of(rollout.id, house)[-1]
    back = way_back_of(last) if rollout.mode is not Mode.SHADOW else ""
    return f"{reason_of(last)}; {back}" if back else reason_of(last)
