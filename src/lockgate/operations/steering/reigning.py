# SPDX-License-Identifier: Apache-2.0
"""An app comes in; the canary that gave its champion all traffic goes out, if one did."""

from __future__ import annotations

from lockgate.core.app import App
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.ports.store import Snapshot


def reigning(seen: Snapshot, app: App) -> Rollout | None:
    """Return the rollout that made an app's champion."""
    for each in reversed(seen.rollouts(app.name)):
        if each.mode is Mode.CANARY and each.status is Status.PROMOTED and each.candidate == app.champion:
            return each
    return None
