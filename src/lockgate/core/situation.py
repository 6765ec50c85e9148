# SPDX-License-Identifier: Apache-2.0
"""What is true beside the statistics comes in as one value: the time, fresh runs, freezes, broken rules, alarms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.finding import Outcome
from lockgate.core.instant import Instant


class Target(StrEnum):
    """Where a rollback sends traffic."""

    BASELINE = "baseline"
    FORMER_CHAMPION = "former_champion"
    ANCESTOR = "ancestor"
    FALLBACK = "fallback"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Broken:
    """A declared rule that no longer holds: its id and a sentence that says by how much."""

    id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WayBack:
    """One place that a rollback might send traffic to, and why it may not, if it may not."""

    target: Target
    release: str | None
    refusal: str | None = None

    def sentence(self) -> str:
        """Return where traffic goes, in words."""
        if self.release is None:
            return "there is no release that traffic may go back to"
        return f"traffic goes back to {self.release}, the {self.target.value.replace('_', ' ')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that a decision reads besides the rollout, its policy and the verdict.

    `fresh_runs` count towards leaving the step; `earlier_runs` ran before the rollout. `alarms` hold a rollout whose
    split Lockgate sets; `ways_back` are tried in order, the baseline by default. `untold`: why nobody who moves traffic
    was told the weight; None where somebody was, or nobody ever was to be.
    """

    now: Instant
    fresh_runs: int = 0
    earlier_runs: int = 0
    invariants: tuple[Broken, ...] = ()
    limits: tuple[Broken, ...] = ()
    sustained: tuple[Broken, ...] = ()
    disagreement: tuple[Broken, ...] = ()
    alarms: tuple[str, ...] = ()
    freeze: str | None = None
    untold: str | None = None
    pairwise: Outcome | None = None
    ways_back: tuple[WayBack, ...] = ()
