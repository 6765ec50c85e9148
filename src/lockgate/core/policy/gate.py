# SPDX-License-Identifier: Apache-2.0
"""A metric with its margins comes in; the bounds that its evidence is tested against go out.

Bounds are written for the worse direction being up: a candidate value is within a bound
when value_candidate <= ratio * value_baseline + offset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from lockgate.core.metric import Kind, Metric, Worse


class Breach(StrEnum):
    """What a regressed gate does to its rollout."""

    ROLLBACK = "rollback"
    REDUCE = "reduce"
    PAUSE = "pause"


class Method(StrEnum):
    """How a fixed judgement makes its interval."""

    FORMULA = "formula"
    BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse: a part of the baseline's value, plus an amount in the metric's own unit.

    `mirrored` states it on the complement of a share: 75 % more of the runs that do not pass.
    """

    relative: float = 0.0
    absolute: float = 0.0
    mirrored: bool = False

    @property
    def is_zero(self) -> bool:
        """Say whether any worsening at all is beyond this margin."""
        return self.relative == 0.0 and self.absolute == 0.0

    def over(self, share: float) -> Margin:
        """Return the margin whose harm, at this share of traffic, is the whole of this one."""
        return Margin(self.relative / share, self.absolute / share, self.mirrored)


@dataclass(frozen=True, slots=True)
class Bound:
    """A candidate is within when its value <= ratio * baseline + offset, larger being worse."""

    ratio: float
    offset: float


# A doubling of any share from 4 % up lies beyond the first; 0.1 is a tenth of a score's range.
DETECT_SHARE = Margin(0.75, 0.01)
DETECT_RATIO = Margin(0.5, 0.0)
DETECT_SCORE = Margin(0.0, 0.1)
DETECT_LIMIT = Margin(0.25, 0.0)
DETECT_SCORE_LIMIT = Margin(0.0, 0.05)
NO_TOLERANCE = Margin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A metric that may stop a rollout: its margins, its share of alpha, and what a breach does.

    `tolerance`: beyond it, rollback. `detect`: clean once worse than this is excluded (None promises nothing).
    `margin`: proven once worse than this is excluded. `limit`: an objective that needs no baseline.
    `extent`: the range that a mean is capped to (None: the natural range, else learned from the baseline).
    `steps`: indexes of the steps that it applies to (None: all).
    `user_outcome`: the value comes from what users did with an answer, so mirrored answers have none.
    """

    id: str
    metric: Metric
    share: float
    min_runs: int
    tolerance: Margin = NO_TOLERANCE
    detect: Margin | None = None
    margin: Margin | None = None
    limit: float | None = None
    slice: tuple[tuple[str, str], ...] = ()
    critical: bool = False
    user_outcome: bool = False
    breach: Breach = Breach.ROLLBACK
    method: Method = Method.FORMULA
    extent: tuple[float, float] | None = None
    steps: tuple[int, ...] | None = None

    @property
    def is_objective(self) -> bool:
        """Say whether the gate compares with a fixed limit instead of a baseline."""
        return self.limit is not None

    def bound(self, margin: Margin) -> Bound:
        """Return a margin as a bound in the orientation where larger is worse.

        A share whose lower values are worse is judged by its complement, a mean by its negative:
        value >= (1 - relative) * baseline - absolute, mirrored.
        """
        if self.metric.worse is Worse.HIGHER or self.metric.kind is Kind.PAIRED or margin.mirrored:
            return Bound(1.0 + margin.relative, margin.absolute)
        if self.metric.kind is Kind.BINARY:
            return Bound(1.0 - margin.relative, margin.relative + margin.absolute)
        return Bound(1.0 - margin.relative, margin.absolute)


def default_detect(metric: Metric, *, is_objective: bool = False) -> Margin:
    """Return the coarse margin that `clean` excludes when the owner names none.

    An objective's limit is what its owner means, so that `clean` allows less beyond it than beside a baseline.

    For a share whose lower values are worse the margin is stated on its complement, so that
    `pass_rate` and the failure rate that mirrors it are detected alike.
    """
    if is_objective:
        return _detect_beyond_limit(metric)
    if metric.kind is Kind.BINARY:
        return replace(DETECT_SHARE, mirrored=metric.worse is Worse.LOWER)
    if metric.kind is Kind.PAIRED or (metric.is_score and metric.kind is not Kind.RATE):
        return DETECT_SCORE
    return DETECT_RATIO


def _detect_beyond_limit(metric: Metric) -> Margin:
    if metric.kind is Kind.BINARY:
        return replace(DETECT_LIMIT, mirrored=metric.worse is Worse.LOWER)
    return DETECT_SCORE_LIMIT if metric.is_score else DETECT_LIMIT
