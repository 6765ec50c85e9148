# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the fields at the top of a declared policy go out, each with what it is about."""

from __future__ import annotations

from typing import Any

from lockgate.core.declaration.gate_field import MAX_RUNS
from lockgate.core.declaration.reading import Field
from lockgate.core.declaration.shape import PERCENT_PATTERN, Choice, Duration, Flag, Number, Text, Whole
from lockgate.core.policy.policy import Inference, Mode, Promote

_ERROR_RATE = Number(above=0.0, most=0.5, pattern=PERCENT_PATTERN, hundredths=True)

APP = Field[str | None](name="app", shape=Text(), default=None, about="What is released.")
MODE = Field[Mode](
    name="mode", shape=Choice(Mode), default=Mode.SHADOW, about="shadow advises and changes nothing; canary acts."
)
PROMOTE = Field[Promote](
    name="promote",
    shape=Choice(Promote),
    default=Promote.CLEAN,
    about="What every gate must have shown before a step is left: clean (worse than `detect` is excluded) "
    "or proven (worse than `margin` is excluded).",
)
INFERENCE = Field[Inference](
    name="inference",
    shape=Choice(Inference),
    default=Inference.SEQUENTIAL,
    about="sequential holds its promise over all looks; fixed holds it at one look only.",
)
ALPHA = Field[float](
    name="alpha", shape=_ERROR_RATE, default=0.05, about="False rollbacks over the whole rollout, all gates together."
)
ALPHA_PROMOTE = Field[float](
    name="alpha_promote",
    shape=_ERROR_RATE,
    default=0.05,
    about="Promotions of a candidate that is worse than the rung that `promote` asks for, from its first runs on.",
)
ALPHA_RATIO = Field[float](
    name="alpha_ratio", shape=_ERROR_RATE, default=0.001, about="False alarms of the check on the split of traffic."
)
MIN_RUNS = Field[int](
    name="min_runs", shape=Whole(1, MAX_RUNS), default=30, about="Fresh candidate runs that each step needs."
)
BUCKET = Field[int](
    name="bucket", shape=Duration(1, 3_600), default=60, spelled="1m", about="How long one slice of evidence lasts."
)
BUCKET_RUNS = Field[int | None](
    name="bucket_runs",
    shape=Whole(1, 1_000_000_000),
    default=None,
    about="A bucket of live runs seals also when the candidate has so many runs in it; null is by its time alone.",
)
UNIT = Field[str | None](
    name="unit",
    shape=Text(),
    default=None,
    about="What is assigned and sticks, such as user; null is each run. Rollouts count runs, and refuse a unit so far.",
)
REQUIRE_PAIRWISE = Field[bool](
    name="require_pairwise",
    shape=Flag(),
    default=False,
    about="Hold while the pairwise comparison is silent; as nothing makes one so far, that is until the end.",
)
ENFORCE_WEIGHT = Field[bool](
    name="enforce_weight",
    shape=Flag(),
    default=False,
    about="Hold where live runs do not split as the weight says, whoever sets the split; runs count as units.",
)
MAX_STALE = Field[int](
    name="max_stale",
    shape=Duration(1),
    default=900,
    spelled="15m",
    about="A rollout that nobody ticks, or whose weight is not read back, for this long is overdue.",
)
POLICY_FIELDS: tuple[Field[Any], ...] = (
    APP, MODE, PROMOTE, INFERENCE, ALPHA, ALPHA_PROMOTE, ALPHA_RATIO, MIN_RUNS, BUCKET, BUCKET_RUNS, UNIT,
    REQUIRE_PAIRWISE, ENFORCE_WEIGHT, MAX_STALE,
)  # fmt: skip
