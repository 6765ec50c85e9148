# SPDX-License-Identifier: Apache-2.0
"""The table of endpoints comes in; its description for programs, OpenAPI 3.1, goes out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lockgate import __version__
from lockgate.core.canonical import Json
from lockgate.server import problem
from lockgate.server.problem import CONTENT_TYPE, KINDS, TYPES
from lockgate.server.table import Endpoint

_NAMED = re.compile(r"\{(\w+)\}")
TEXT: Json = {"type": "string"}
QUERY: dict[str, Json] = {
    "active": {"type": "string", "enum": ["true", "false"]},
    "mode": {"type": "string", "enum": ["shadow", "canary"]},
    "limit": {"type": "integer", "minimum": 1},
}
# Of every call with a key.
_REFUSALS = ("400", "401", "403", "404")


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Json]:
    """Return the OpenAPI document of endpoints."""
    paths: dict[str, dict[str, Json]] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lockgate",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": dict(paths),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "rvk_"}},
            "schemas": {"Problem": _problem()},
        },
    }


def _operation(each: Endpoint) -> dict[str, Json]:
    named: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in _NAMED.findall(each.path)
    ]
    asked: list[Json] = [{"name": name, "in": "query", "schema": QUERY.get(name, TEXT)} for name in each.query]
    operation: dict[str, Json] = {
        "operationId": f"{each.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', each.path.lower()).strip('_')}",
        "summary": each.summary,
        "parameters": [*named, *asked],
        "responses": {code: _response(code) for code in _statuses(each)},
    }
    if each.body:
        operation["requestBody"] = {"content": {kind: {} for kind in each.body}}
    if each.permission is not None:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs the permission {each.permission}."
    return operation


def _statuses(each: Endpoint) -> tuple[str, ...]:
    beside = ("201",) if each.path.endswith("/rollouts") and each.method == "POST" else ()
    turned = ("422",) if each.path.endswith("{id}/evaluate") else ()
    if each.permission is None:
        return ("200", *_failures())
    return ("200", *beside, *turned, *_REFUSALS, *(("408", "409", "413", "415") if each.body else ()), *_failures())


def _failures() -> tuple[str, ...]:
    return tuple(sorted({str(kind.status) for kind in KINDS if kind.status >= problem.INTERNAL.status}))


def _response(code: str) -> dict[str, Json]:
    # 422 is an evaluation whose turn rolled back, and no problem.
    if code in ("200", "201", "422"):
        said = "The turn rolled the candidate back." if code == "422" else "Done."
        return {"description": said, "content": {"application/json": {"schema": {"type": "object"}}}}
    titles = [kind.title for kind in KINDS if str(kind.status) == code]
    schema: Json = {"$ref": "#/components/schemas/Problem"}
    return {"description": " Or: ".join(titles), "content": {CONTENT_TYPE: {"schema": schema}}}


def _problem() -> Json:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "advice"],
        "properties": {
            "type": {"type": "string", "enum": [TYPES + kind.name for kind in KINDS]},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "advice": TEXT,
        },
    }
