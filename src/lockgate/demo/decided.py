# SPDX-License-Identifier: Apache-2.0
"""A signed receipt comes in; what was decided by it, and what of it moves traffic, goes out."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lockgate.core.finding import Outcome
from lockgate.core.rollout import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """One decision: where the rollout stood then, and in which metrics the candidate was found worse."""

    seq: int
    status: Status
    step: int
    before: float
    weight: float
    reason: str
    worse: tuple[str, ...] = ()

    @property
    def is_movement(self) -> bool:
        """Say whether a router had to be moved."""
        return self.weight != self.before

    @property
    def is_last(self) -> bool:
        """Say whether the rollout ended by it."""
        return self.status in (Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED)


def decided(envelope: Mapping[str, Any]) -> Decided:
    """Return what the statement in an envelope says; whether it is signed rightly is looked at elsewhere."""
    said = json.loads(b64decode(envelope["payload"]))["predicate"]
    after, findings = said["to"], said["verdict"]["findings"]
    return Decided(
        seq=said["seq"],
        status=Status(after["status"]),
        step=after["step"],
        before=float(said["from"]["weight"]),
        weight=float(after["weight"]),
        reason=said["decision"]["reason"],
        worse=tuple(each["metric"] for each in findings if each["outcome"] == Outcome.REGRESSED.value),
    )
