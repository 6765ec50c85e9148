# SPDX-License-Identifier: Apache-2.0
"""The fields of a declaration come in; their JSON Schema (2020-12) goes out, whose descriptions are the reference."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from lockgate.core.canonical import Json
from lockgate.core.declaration import rule_field
from lockgate.core.declaration.gate_field import GATE_FIELDS, GATES, METRIC
from lockgate.core.declaration.policy_field import POLICY_FIELDS
from lockgate.core.declaration.reading import Field, Section
from lockgate.core.declaration.shape import Schema
from lockgate.core.declaration.step_declaration import STEPS_PATTERN
from lockgate.core.declaration.step_field import DEFAULT_STEPS, STEP_FIELDS, STEPS, WEIGHT

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> Schema:
    """Return the schema of a declared policy; what fields say together is checked by `declare` alone."""
    gate = _either(METRIC.shape.schema(), _object(GATE_FIELDS))
    step = _either(WEIGHT.shape.schema(), _object(STEP_FIELDS) | {"minProperties": 1})
    invariant = _either(rule_field.EVENT.shape.schema(), _object(rule_field.INVARIANT_FIELDS))
    properties: dict[str, Json] = {each.name: _field(each) for each in POLICY_FIELDS}
    properties |= {
        GATES.name: _list(GATES, gate) | {"minItems": 1},
        STEPS.name: _steps(step),
        rule_field.INVARIANTS.name: _list(rule_field.INVARIANTS, invariant),
        rule_field.SUSTAINED.name: _list(rule_field.SUSTAINED, _object(rule_field.SUSTAINED_FIELDS)),
        rule_field.DISAGREEMENT.name: _list(rule_field.DISAGREEMENT, _object(rule_field.DISAGREEMENT_FIELDS)),
        rule_field.LIMITS: _object(rule_field.LIMIT_FIELDS)
        | {"type": ["object", "null"], "description": rule_field.LIMITS_ABOUT},
    }
    return {
        "$schema": DIALECT,
        "title": "Lockgate policy",
        "description": "What the owner of an app declares before a release goes on trial. Every field has a default.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _object(fields: Sequence[Field[Any]]) -> Schema:
    properties: dict[str, Json] = {each.name: _field(each) for each in fields}
    required = [each.name for each in fields if each.is_required]
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return schema | ({"required": required} if required else {})


def _field(each: Field[Any]) -> Schema:
    schema: Schema = {"description": each.about}
    if each.is_required:
        return schema | each.shape.schema()
    if each.spelled is not None:
        schema["description"] = f"{each.about} Default: {each.spelled}."
    else:
        schema["default"] = each.default.value if isinstance(each.default, StrEnum) else each.default
    return schema | (_either({"type": "null"}, each.shape.schema()) if each.is_nullable else each.shape.schema())


def _list(section: Section, item: Schema) -> Schema:
    return {"description": section.about, "type": ["array", "null"], "maxItems": section.most, "items": item}


def _steps(item: Schema) -> Schema:
    text: Schema = {"type": "string", "pattern": STEPS_PATTERN}
    return {
        "description": STEPS.about,
        "default": DEFAULT_STEPS,
        "anyOf": [text, _list(STEPS, item) | {"minItems": 1}],
    }
