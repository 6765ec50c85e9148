# SPDX-License-Identifier: Apache-2.0
"""A JSON Schema comes in; tables of its fields, in Markdown, go out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def tables(name: str, definition: dict[str, Any]) -> Iterator[str]:
    """Yield a table of the fields of a mapping, then those of each mapping inside it."""
    properties: dict[str, dict[str, Any]] = definition["properties"]
    rows = []
    for field, shape in properties.items():
        default = "required" if field in definition.get("required", ()) else _default(shape)
        cells = [f"`{field}`", _type(shape, field), default, shape.get("description", "")]
        rows.append(f"| {' | '.join(cell(text) for text in cells)} |")
    yield "\n".join([f"## `{name}`", "", "| field | is | default | means |", "|---|---|---|---|", *rows])
    for field, shape in properties.items():
        for mapping in _mappings(shape):
            yield from tables(field, mapping)


def _mappings(shape: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "properties" in shape:
        yield shape
    for part in (*shape.get("anyOf", ()), *([shape["items"]] if "items" in shape else ())):
        yield from _mappings(part)


def _type(shape: dict[str, Any], field: str) -> str:
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(_type(part, field) for part in shape["anyOf"]))
    if "enum" in shape:
        return ", ".join(f"`{value}`" for value in shape["enum"])
    if "const" in shape:
        return f"`{shape['const']}`"
    kinds = shape.get("type", "anything")
    return " or ".join(_kind(kind, shape, field) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _kind(kind: str, shape: dict[str, Any], field: str) -> str:
    if kind == "array":
        item = _type(shape.get("items", {}), field)
        return f"list of ({item})" if " or " in item else f"list of {item}"
    if kind == "object":
        return f"[mapping](#{field})" if "properties" in shape else "mapping"
    return {"string": "text", "boolean": "true or false"}.get(kind, kind)


def _default(shape: dict[str, Any]) -> str:
    return f"`{json.dumps(shape['default'], ensure_ascii=False)}`" if "default" in shape else ""


def cell(text: str) -> str:
    """Return a text as it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")
