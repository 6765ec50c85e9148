# SPDX-License-Identifier: Apache-2.0
"""Parts of a JSON Schema come in; larger ones go out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}


def described(schema: Schema, meaning: str) -> Schema:
    """Return a schema that says what it means."""
    return {**schema, "description": meaning}


def or_null(schema: Schema) -> Schema:
    """Return a schema that null fits too."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def mapping_of(schema: Schema) -> Schema:
    """Return the schema of an object whose names are data."""
    return {"type": "object", "additionalProperties": schema}


def shape(name: str) -> Schema:
    """Return what stands for a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(fields: Mapping[str, Schema], needs: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a body: no other field is taken."""
    return {"type": "object", "properties": dict(fields), "required": list(needs), "additionalProperties": False}


def answer(**fields: Schema) -> Schema:
    """Return the schema of an answer: these fields are always there, and later versions may add others."""
    return {"type": "object", "properties": dict(fields), "required": list(fields)}


def with_all(schema: Schema, **fields: Schema) -> Schema:
    """Return the schema of an answer that has all of another one's fields, and some of its own."""
    return {"allOf": [schema, answer(**fields)]}


def one_of(words: Iterable[str]) -> Schema:
    """Return the schema of a word of some."""
    return {"type": "string", "enum": [str(each) for each in words]}
