# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the fields that a declared step may have go out, each with what it is about."""

from __future__ import annotations

from typing import Any

from lockgate.core.declaration.compound import Names
from lockgate.core.declaration.gate_field import GATES, MAX_RUNS
from lockgate.core.declaration.reading import Field, Section
from lockgate.core.declaration.shape import WEIGHT_PATTERN, Choice, Duration, Number, Text, Whole
from lockgate.core.policy.step import Approval, OnDeadline, StepKind

STEPS = Section("steps", 64, "The stages of exposure, in order: weights such as 5,25,50,100, or one mapping each.")
DEFAULT_STEPS = "5,25,50,100"

KIND = Field[StepKind | None](
    name="kind",
    shape=Choice(StepKind),
    default=None,
    spelled="ring where a ring is named, else weight",
    about="offline: files of evals; mirror: mirrored inputs whose answers are never returned; ring: a chosen group; "
    "weight: a percentage of traffic; switch: all at once.",
)
RING = Field[str | None](name="ring", shape=Text(), default=None, about="The group of a ring step.")
WEIGHT = Field[float | None](
    name="weight",
    shape=Number(least=0.0, most=100.0, pattern=WEIGHT_PATTERN),
    default=None,
    spelled="100 for a switch, 0 for offline, mirror and ring",
    about="Percent of traffic that the candidate serves; each weight is above the one before it.",
)
MIN_RUNS = Field[int | None](
    name="min_runs",
    shape=Whole(1, MAX_RUNS),
    default=None,
    spelled="the policy's",
    about="Fresh candidate runs that the step needs.",
)
MIN_HOLD = Field[int](name="min_hold", shape=Duration(), default=0, spelled="0s", about="The step lasts at least this.")
MAX_HOLD = Field[int | None](
    name="max_hold",
    shape=Duration(1),
    default=None,
    about="Past this, `on_deadline` is taken; null is never.",
)
ON_DEADLINE = Field[OnDeadline](
    name="on_deadline",
    shape=Choice(OnDeadline),
    default=OnDeadline.HOLD,
    about="What happens when `max_hold` has passed.",
)
SETTLE = Field[int](
    name="settle",
    shape=Duration(),
    default=0,
    spelled="0s",
    about="The time after arrival that no comparison reads: caches fill, connections open.",
)
SOAK = Field[int](
    name="soak",
    shape=Duration(),
    default=0,
    spelled="0s",
    about="The time at the last step before the candidate counts as promoted.",
)
HOLDBACK = Field[float](
    name="holdback",
    shape=Number(least=0.0, most=50.0, pattern=WEIGHT_PATTERN),
    default=0.0,
    about="Percent of traffic that stays on the baseline, so that comparisons stay possible.",
)
APPROVAL = Field[Approval](
    name="approval", shape=Choice(Approval), default=Approval.AUTO, about="Who lets the rollout leave the step."
)
STEP_GATES = Field[tuple[str, ...] | None](
    name="gates",
    shape=Names(GATES.most),
    default=None,
    spelled="all",
    about="The gates that apply at this step, by id or metric.",
)
STEP_FIELDS: tuple[Field[Any], ...] = (
    KIND, RING, WEIGHT, MIN_RUNS, MIN_HOLD, MAX_HOLD, ON_DEADLINE, SETTLE, SOAK, HOLDBACK, APPROVAL, STEP_GATES,
)  # fmt: skip
