# SPDX-License-Identifier: Apache-2.0
"""One stage of exposure, as declared, comes in; what it asks before the next goes out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StepKind(StrEnum):
    """How a step exposes the candidate."""

    OFFLINE = "offline"
    MIRROR = "mirror"
    RING = "ring"
    WEIGHT = "weight"
    SWITCH = "switch"


class Approval(StrEnum):
    """Who lets the rollout leave a step."""

    AUTO = "auto"
    MANUAL = "manual"


class OnDeadline(StrEnum):
    """What happens when a step, or the whole rollout, has taken too long."""

    HOLD = "hold"
    PAUSE = "pause"
    REDUCE = "reduce"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage: its kind and weight (percent), and what must be true before the next one.

    `holdback`: percent of traffic that stays on the baseline, so that comparisons stay possible.
    `settle_s`: seconds after arrival whose buckets no comparison reads.
    `soak_s`: seconds at the last weight before the rollout counts as promoted.
    """

    kind: StepKind
    weight: float
    ring: str | None = None
    min_runs: int
    min_hold_s: int = 0
    max_hold_s: int | None = None
    on_deadline: OnDeadline = OnDeadline.HOLD
    settle_s: int = 0
    soak_s: int = 0
    holdback: float = 0.0
    approval: Approval = Approval.AUTO

    @property
    def is_exposed(self) -> bool:
        """Say whether users meet the candidate's answers at this step."""
        return self.kind not in (StepKind.OFFLINE, StepKind.MIRROR)

    @property
    def has_concurrent_baseline(self) -> bool:
        """Say whether baseline and candidate answer comparable inputs at the same time."""
        if self.kind is StepKind.RING:
            return self.holdback > 0
        if self.kind in (StepKind.OFFLINE, StepKind.MIRROR):
            return True
        return self.weight < 100 or self.holdback > 0

    @property
    def ends_on_arrival(self) -> bool:
        """Say whether reaching this step as the last one is already the end: exposed, chosen at random, no soak."""
        return self.kind in (StepKind.WEIGHT, StepKind.SWITCH) and self.soak_s == 0

    @property
    def share(self) -> float:
        """Return the part of all traffic that the candidate serves at this step; what is held back is not its own."""
        return min(self.weight, 100.0 - self.holdback) / 100.0

    @property
    def compared_share(self) -> float:
        """Return the candidate's part of the runs that are compared; a mirror answers all that the baseline does."""
        return 0.5 if self.kind is StepKind.MIRROR else self.share

    def label(self) -> str:
        """Name the step as people do: `25 %`, `ring internal`, `mirror`."""
        if self.kind is StepKind.RING:
            return f"ring {self.ring}"
        if self.kind in (StepKind.OFFLINE, StepKind.MIRROR):
            return str(self.kind)
        return f"{self.weight:g} %"
