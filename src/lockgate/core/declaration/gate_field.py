# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the fields that a declared gate may have go out, each with what it is about."""

from __future__ import annotations

from typing import Any

from lockgate.core.declaration.compound import MAX_NAME, Amount, DetectShape, Extent, Labels, MarginShape
from lockgate.core.declaration.reading import Field, Section
from lockgate.core.declaration.shape import PERCENT_PATTERN, Choice, Flag, Number, Text, Whole
from lockgate.core.metric import Worse
from lockgate.core.policy.gate import NO_TOLERANCE, Breach, Method
from lockgate.core.policy.margin_text import StatedMargin

MAX_RUNS = 10**9
GATES = Section("gates", 400, "The metrics that may stop the rollout. A text is short for a gate on that metric.")

ID = Field[str | None](
    name="id",
    shape=MAX_NAME,
    default=None,
    spelled="the metric, its limit and its slice",
    about="The gate's name in findings and in the steps' `gates`.",
)
METRIC = Field[str](
    name="metric",
    shape=Text(160),
    default="",
    is_required=True,
    about="What is judged: error_rate, timeout_rate, pass_rate, a field such as latency_ms:p95, or scores.NAME.",
)
WORSE = Field[Worse | None](
    name="worse",
    shape=Choice(Worse),
    default=None,
    spelled="by the metric",
    about="Which direction is worse, where it is not the metric's usual one.",
)
SHARE = Field[float | None](
    name="share",
    shape=Number(above=0.0, most=1.0, pattern=PERCENT_PATTERN, hundredths=True),
    default=None,
    spelled="an equal part of what the other gates leave",
    about="The gate's part of alpha; all shares add to at most 1.",
)
MIN_RUNS = Field[int | None](
    name="min_runs",
    shape=Whole(1, MAX_RUNS),
    default=None,
    spelled="the policy's, and for a quantile enough runs that one lies beyond it",
    about="Runs that each release needs, at each step, before the gate can be clean or proven.",
)
TOLERANCE = Field[StatedMargin](
    name="tolerance",
    shape=MarginShape(),
    default=StatedMargin(NO_TOLERANCE),
    spelled="0",
    about="Worse by more than this is a breach. 5% is of the baseline's value, 1pp is percentage points, "
    "a number is in the metric's own unit.",
)
DETECT = Field[StatedMargin | None](
    name="detect",
    shape=DetectShape(),
    default=None,
    spelled="75% + 1pp of a share, 0.1 of a score or of net losses, else 50%; never finer than tolerance or margin",
    about="Clean once worse than this is excluded; the word none asks for nothing and promises nothing.",
)
MARGIN = Field[StatedMargin | None](
    name="margin",
    shape=MarginShape(),
    default=None,
    about="Proven once worse than this, as a share of all traffic, is excluded. `promote: proven` needs it.",
)
MAX = Field[tuple[float, bool] | None](
    name="max",
    shape=Amount(),
    default=None,
    about="An objective that needs no baseline: the value must not go above this (a share also as 1%).",
)
MIN = Field[tuple[float, bool] | None](
    name="min",
    shape=Amount(),
    default=None,
    about="An objective that needs no baseline: the value must not go below this (a share also as 99%).",
)
SLICE = Field[tuple[tuple[str, str], ...]](
    name="slice", shape=Labels(), default=(), spelled="every run", about="Only runs that carry all of these labels."
)
CRITICAL = Field[bool](
    name="critical",
    shape=Flag(),
    default=False,
    about="A breach comes before every other statistical finding, and always rolls back.",
)
USER_OUTCOME = Field[bool](
    name="user_outcome",
    shape=Flag(),
    default=False,
    about="The value comes from what users did with an answer, so offline and mirrored answers have none.",
)
BREACH = Field[Breach](
    name="breach", shape=Choice(Breach), default=Breach.ROLLBACK, about="What happens when the gate has regressed."
)
METHOD = Field[Method](
    name="method",
    shape=Choice(Method),
    default=Method.FORMULA,
    about="How a fixed judgement makes the interval of a mean or a quantile.",
)
EXTENT = Field[tuple[float, float] | None](
    name="extent",
    shape=Extent(),
    default=None,
    about="The range that a mean's values are capped to; null is a score's 0 to 1, else learned from the baseline.",
)
GATE_FIELDS: tuple[Field[Any], ...] = (
    ID, METRIC, WORSE, SHARE, MIN_RUNS, MAX, MIN, TOLERANCE, DETECT, MARGIN, SLICE, CRITICAL, USER_OUTCOME, BREACH,
    METHOD, EXTENT,
)  # fmt: skip
