# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the JSON Schema of a comparison's document, as other programs read it, goes out."""

from __future__ import annotations

from typing import Any

from lockgate.core.comparison import FORMAT
from lockgate.core.finding import Outcome
from lockgate.core.verdict.estimate import METHODS

Schema = dict[str, Any]

_LEVEL: Schema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string", "minLength": 1}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}


def comparison_schema() -> Schema:
    """Return the JSON Schema (2020-12) of `Comparison.document()`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `lockgate compare --json` prints",
        **_object(
            format={"const": FORMAT},
            outcome=_outcome("The worst outcome of all gates."),
            baseline=_about(_nullable(_TEXT), "The release that is trusted; null: gates have fixed limits."),
            candidate=_about(_TEXT, "The release on trial."),
            gates=_about({"type": "array", "items": _gate()}, "What decides the outcome, in the policy's order."),
            shown=_about({"type": "array", "items": _finding()}, "What is shown beside it and decides nothing."),
            sizes=_about(_COUNTS, "Runs of baseline and candidate."),
            level=_about(_LEVEL, "The level of each interval that is shown."),
            alpha=_about(_LEVEL, "How often two equal releases are called regressed, at most, over all gates."),
            per_gate_level=_about(_nullable(_LEVEL), "The level each gate is judged at by itself; null shares alpha."),
            duplicates=_about(_COUNT, "Runs set aside because their run_id had come before."),
            releases=_about(_COUNTS, "Runs of every release that was read."),
            files=_about({"type": "array", "items": {"type": "string"}}, "What was read."),
            stored=_about(_nullable(_stored()), "Which stored buckets were read; null: files were."),
            notes=_about({"type": "array", "items": _TEXT}, "Sentences about the data."),
            policy=_about({"type": "object"}, "The effective policy, every default spelled out."),
            policy_digest={"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        ),
    }


def _stored() -> Schema:
    time = _nullable({"type": "string", "format": "date-time"})
    return _object(
        **{
            "app": _TEXT,
            "buckets": _COUNT,
            "from": _about(time, "When the first of their runs began."),
            "to": _about(time, "The end of the last bucket."),
            "unsealed": _about(_COUNT, "How many of them may still grow."),
        }
    )


def _gate() -> Schema:
    finding = _finding()
    level = _about(_LEVEL, "The two-sided level that the gate was judged at.")
    return {
        **finding,
        "properties": {**finding["properties"], "verdict_level": level},
        "required": [*finding["required"], "verdict_level"],
    }


def _finding() -> Schema:
    finding = _object(
        gate=_about(_TEXT, "The gate's id in the policy."),
        metric=_TEXT,
        outcome=_outcome("What the gate says."),
        reason=_about(_TEXT, "Why, in a sentence."),
        baseline=_reading("the baseline"),
        candidate=_reading("the candidate"),
    )
    finding["properties"]["difference"] = _about(
        _object(
            estimate={"type": "number"},
            low=_about(_nullable({"type": "number"}), "null: nothing bounds it below."),
            high=_about(_nullable({"type": "number"}), "null: nothing bounds it above."),
            level=_LEVEL,
            method={"enum": list(METHODS)},
        ),
        "Candidate minus baseline, or minus an objective's limit; of pairs, lost minus won. Absent without values.",
    )
    return finding


def _reading(arm: str) -> Schema:
    value = _about(_nullable({"type": "number"}), f"The metric's value in {arm}; of pairs, how often it was the worse.")
    return _object(value=value, n=_about(_COUNT, "The runs (or pairs) that carry the metric."))


def _outcome(description: str) -> Schema:
    return {"enum": [outcome.value for outcome in Outcome], "description": description}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _about(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}
