# SPDX-License-Identifier: Apache-2.0
"""Declared rules outside the statistics come in as values: invariants, sustained budgets, disagreement, limits.

They are deterministic, are counted apart from alpha, and act at the step or rollout that they name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lockgate.core.policy.step import OnDeadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """An event that may happen at most `max` times in the candidate during the whole rollout."""

    id: str
    event: str
    max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """A budget for a metric that windows may exceed a few times in a row, then `reduce`, then rollback."""

    id: str
    metric: str
    budget: float
    window_s: int
    need: int
    of: int
    max_reductions: int = 1
    cool_down_s: int = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How often candidate and baseline may answer differently without an explanation."""

    id: str
    max_excess: float
    min_pairs: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the whole rollout may spend, last and touch; reaching one takes `on_limit`."""

    spend: str | None = None
    currency: str | None = None
    time_s: int | None = None
    units: int | None = None
    runs: int | None = None
    on_limit: OnDeadline = OnDeadline.ROLLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Every deterministic rule of a policy."""

    invariants: tuple[Invariant, ...] = ()
    sustained: tuple[Sustained, ...] = ()
    disagreement: tuple[Disagreement, ...] = ()
    limits: Limits = field(default_factory=Limits)
