# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the fields of declared rules outside the statistics go out, each with what it is about."""

from __future__ import annotations

from typing import Any

from lockgate.core.declaration.compound import Amount, Spend
from lockgate.core.declaration.gate_field import MAX_RUNS
from lockgate.core.declaration.reading import Field, Section
from lockgate.core.declaration.shape import PERCENT_PATTERN, Choice, Duration, Number, Text, Whole
from lockgate.core.policy.step import OnDeadline

UNMEASURED = "Nothing measures it so far, so it holds a rollout."
INVARIANTS = Section(
    "invariants", 64, f"Events that may happen in the candidate at most `max` times, in any run. {UNMEASURED}"
)
SUSTAINED = Section(
    "sustained", 64, f"Budgets that windows may exceed a few times; then reduce, then rollback. {UNMEASURED}"
)
DISAGREEMENT = Section(
    "disagreement", 64, f"How often candidate and baseline may answer differently, unexplained. {UNMEASURED}"
)
LIMITS = "limits"
LIMITS_ABOUT = "What the whole rollout may spend, last and touch."

INVARIANT_ID = Field[str | None](
    name="id", shape=Text(), default=None, spelled="the event", about="The rule's name in decisions."
)
EVENT = Field[str](name="event", shape=Text(), default="", is_required=True, about="The event that is counted.")
EVENT_MAX = Field[int](name="max", shape=Whole(0, MAX_RUNS), default=0, about="More than this many rolls back.")
INVARIANT_FIELDS: tuple[Field[Any], ...] = (INVARIANT_ID, EVENT, EVENT_MAX)

SUSTAINED_ID = Field[str | None](
    name="id", shape=Text(), default=None, spelled="the metric", about="The rule's name in decisions."
)
METRIC = Field[str](
    name="metric", shape=Text(160), default="", is_required=True, about="The metric that each window measures."
)
BUDGET = Field[tuple[float, bool]](
    name="budget",
    shape=Amount(),
    default=(0.0, False),
    is_required=True,
    about="What a window's value may reach, in the metric's own unit (a share also as 1%).",
)
WINDOW = Field[int](
    name="window", shape=Duration(1, 86_400), default=300, spelled="5m", about="How long one window lasts."
)
NEED = Field[int](name="need", shape=Whole(1, 100), default=3, about="So many windows over the budget are a breach,")
OF = Field[int](name="of", shape=Whole(1, 100), default=3, about="out of the last so many windows.")
MAX_REDUCTIONS = Field[int](
    name="max_reductions", shape=Whole(0, 64), default=1, about="So many steps back before a breach rolls back."
)
COOL_DOWN = Field[int](
    name="cool_down", shape=Duration(), default=900, spelled="15m", about="After a step back, no breach within this."
)
SUSTAINED_FIELDS: tuple[Field[Any], ...] = (
    SUSTAINED_ID, METRIC, BUDGET, WINDOW, NEED, OF, MAX_REDUCTIONS, COOL_DOWN,
)  # fmt: skip

DISAGREEMENT_ID = Field[str](name="id", shape=Text(), default="disagreement", about="The rule's name in decisions.")
MAX_EXCESS = Field[float](
    name="max_excess",
    shape=Number(above=0.0, most=1.0, pattern=PERCENT_PATTERN, hundredths=True),
    default=1.0,
    is_required=True,
    about="The share of pairs that may differ unexplained, beyond what the baseline differs from itself.",
)
MIN_PAIRS = Field[int](
    name="min_pairs", shape=Whole(1, MAX_RUNS), default=100, about="Pairs needed before the rule says anything."
)
DISAGREEMENT_FIELDS: tuple[Field[Any], ...] = (DISAGREEMENT_ID, MAX_EXCESS, MIN_PAIRS)

SPEND = Field[tuple[str, str] | None](
    name="spend", shape=Spend(), default=None, about=f"An amount and a currency, such as 200 EUR. {UNMEASURED}"
)
TIME = Field[int | None](name="time", shape=Duration(1), default=None, about="How long the rollout may last.")
UNITS = Field[int | None](
    name="units", shape=Whole(1, 10**12), default=None, about=f"How many units may meet the candidate. {UNMEASURED}"
)
RUNS = Field[int | None](name="runs", shape=Whole(1, 10**12), default=None, about="How many runs it may serve.")
ON_LIMIT = Field[OnDeadline](
    name="on_limit", shape=Choice(OnDeadline), default=OnDeadline.ROLLBACK, about="What reaching a limit does."
)
LIMIT_FIELDS: tuple[Field[Any], ...] = (SPEND, TIME, UNITS, RUNS, ON_LIMIT)
