# SPDX-License-Identifier: Apache-2.0
"""The table of endpoints comes in; its description for programs, OpenAPI 3.1, goes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lockgate import __version__
from lockgate.core.canonical import Json
from lockgate.core.delivery import State
from lockgate.core.log_export import MAX_ENTRIES
from lockgate.core.policy.policy import Mode
from lockgate.core.published_keys import JWKS
from lockgate.core.rollout import Status
from lockgate.server.answer_schemas import ANSWER_SCHEMAS
from lockgate.server.answering import MAX_KEY
from lockgate.server.body_schemas import BODY_SCHEMAS
from lockgate.server.call import JSON_TYPES, MAX_PAGE
from lockgate.server.event_schemas import described_events
from lockgate.server.metrics import OPENMETRICS
from lockgate.server.problem import CONTENT_TYPE, KINDS, NO_METHOD, NOT_THERE, STALE, TYPES
from lockgate.server.routes.bundles import ZIP
from lockgate.server.routes.log import ENVELOPE, OCTETS
from lockgate.server.routes.published_keys import KINDS as PUBLISHED_KINDS
from lockgate.server.routes.published_keys import PEM_KIND
from lockgate.server.routes.runs import NDJSON_TYPES
from lockgate.server.schema import TEXT, TIME, WHOLE, Schema, described, one_of, shape
from lockgate.server.schema_names import SCHEMA_NAMES, SchemaNames
from lockgate.server.table import LOG, Endpoint

_NAMED = re.compile(r"\{(\w+)\}")
PARAMETERS: Mapping[str, Schema] = {
    "active": described(one_of(("true", "false")), "Only those that go on, or only those that have ended."),
    "app_id": described(TEXT, "The app."),
    "candidate": described(TEXT, "The release on trial."),
    "cursor": described(TEXT, "The cursor of the page before."),
    "dedupe": described(one_of(("window", "strict")), "How runs that came before are known again."),
    "file": described(TEXT, "`KEYID.pem`, `jwks.json`, `allowed_signers` or `log.vkey`."),
    "index": described(WHOLE, "The place in the log, from 0."),
    "level": {"type": "integer", "minimum": 0, "maximum": 63},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "description": "How many at most."},
    "mode": one_of(Mode),
    "new": described(WHOLE, "The later size, which a checkpoint has; by default that of the latest."),
    "old": {"type": "integer", "minimum": 1, "description": "The earlier size."},
    "org": described(TEXT, "Whose keys; by default those of the organisation `default`."),
    "seq": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    "since": described(TIME, "From when on."),
    "checkpoint": described(
        {**TEXT, "pattern": "^([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{4}|[A-Za-z0-9_-]{3}=|[A-Za-z0-9_-]{2}==)$"},
        "A checkpoint that was kept, in base64url with its padding.",
    ),
    "state": one_of(State),
    "status": one_of(Status),
    "tile": described(TEXT, "Which one, such as `x001/x234/067`, with `.p/WIDTH` where it is not full."),
}
# Of one path alone, where another means something else by the same word.
_OF_PATH: Mapping[str, Mapping[str, Schema]] = {
    f"{LOG}/export": {
        "since": described(WHOLE, "The size of the log after which it goes on; 0 begins with its first entry."),
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_ENTRIES, "description": "How many at most."},
    }
}
_TAG = r'(W/)?"[!#-~\u0080-\u00ff]*"'
TAGS: Schema = {**TEXT, "pattern": rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*)$"}
# Answers that are about a rollout or an app, and so have its revision or version for a tag.
TAGGED = frozenset({"Answered", "App", "Created", "Explanation", "Overview", "Rollout", "Turn"})
# Answers whose tag is the digest of their own bytes.
FETCHED = frozenset({"Checkpoint", "Envelope", "KeyManifest", "LogGrowth", "LogProof", "PublishedKeys"})
# No operation can be asked by a method that it has not, and what is no HTTP is none.
_NOWHERE = (NO_METHOD.status, 505)
_OF_KEYS = (401, 403, 404, 409, STALE.status, 429)
_OF_TOKENS = (401, 429)
_SAID = {
    200: "Done.",
    201: "Made.",
    202: "Taken up.",
    304: "It is what it was; there is no body.",
    422: "Done, and this turn rolled the candidate back. It means nothing else.",
}
# What is answered in another form than JSON.
CONTENT_TYPES = {
    "Metrics": ("text/plain", OPENMETRICS),
    "Envelope": (ENVELOPE,),
    "KeyManifest": (ENVELOPE,),
    "LogProof": ("text/plain",),
    "Checkpoint": ("text/plain",),
    "LogGrowth": ("text/plain",),
    "Tile": (OCTETS,),
    "Bundle": (ZIP,),
    "ExportedLog": NDJSON_TYPES[:1],
    "PublishedKeys": ("text/plain", PUBLISHED_KINDS[JWKS], PEM_KIND),
}
_HEADERS: Mapping[str, Schema] = {
    "Allow": described(TEXT, "Which methods there are."),
    "Cache-Control": described(TEXT, "For how long the answer holds, and for whom."),
    "ETag": described(TEXT, "In quotes the rollout's revision, the app's version, or the digest of the bytes."),
    "Idempotency-Replayed": described(one_of(("true",)), "The reply is that of the same call before."),
    "Lockgate-Log-Size": described(WHOLE, "How many entries the log has."),
    "Lockgate-Size": described(WHOLE, "The size of the log from which the next portion goes on."),
    "Location": described(TEXT, "Where it is found."),
    "Retry-After": described(WHOLE, "After how many seconds to try again."),
    "WWW-Authenticate": described(TEXT, "How to say who calls."),
}


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Json]:
    """Return the OpenAPI document of endpoints."""
    paths: dict[str, dict[str, Json]] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, SCHEMA_NAMES[each.handler])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lockgate",
            "summary": "Progressive delivery by statistical verdicts",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths),
        "webhooks": described_events(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "rvk_"}},
            "schemas": {**BODY_SCHEMAS, **ANSWER_SCHEMAS, "Problem": _problem()},
            "responses": _refusals(),
            "headers": {name: {"schema": schema} for name, schema in _HEADERS.items()},
        },
    }


def _operation(each: Endpoint, names: SchemaNames) -> dict[str, Json]:
    operation: dict[str, Json] = {
        "operationId": f"{each.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', each.path.lower()).strip('_')}",
        "summary": each.summary,
        "tags": [each.path.split("/")[3] if each.path.startswith("/api/") else "server"],
        "parameters": [*_parameters(each), *_conditions(each, names)],
        "responses": {str(code): _response(code, each, names) for code in _statuses(each, names)},
    }
    if each.body:
        needs = bool(BODY_SCHEMAS[names.takes].get("required"))
        operation["requestBody"] = {"required": needs, "content": {kind: _body(kind, names) for kind in each.body}}
    if each.permission is not None:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs the permission {each.permission}."
    return operation


def _parameters(each: Endpoint) -> list[Json]:
    named: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": PARAMETERS.get(name, TEXT)}
        for name in _NAMED.findall(each.path)
    ]
    asked: list[Json] = [
        {"name": name, "in": "query", "required": name in each.needs, "schema": _parameter(name, each)}
        for name in each.query
    ]
    return [*named, *asked]


def _parameter(name: str, each: Endpoint) -> Schema:
    return _OF_PATH.get(each.path, PARAMETERS).get(name, TEXT)


def _conditions(each: Endpoint, names: SchemaNames) -> list[Json]:
    found = {}
    if each.is_once and each.method != "GET" and each.body in (JSON_TYPES, ()):
        found["Idempotency-Key"] = {**TEXT, "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]([ -~]*[!-~])?$"}
    if names.gives in FETCHED or (each.about is not None and names.gives in TAGGED):
        found["If-Match"] = described(TAGS, "The ETag that was seen: else nothing is done, and it is 412.")
        if each.method == "GET":
            found["If-None-Match"] = described(TAGS, "The ETag that is known: 304 while it is still so.")
    return [{"name": name, "in": "header", "required": False, "schema": schema} for name, schema in found.items()]


def _body(kind: str, names: SchemaNames) -> Json:
    if kind in JSON_TYPES:
        return {"schema": shape(names.takes)}
    return {"schema": described(TEXT, f"One JSON object a line, each as in the schema {names.takes}.")}


def _statuses(each: Endpoint, names: SchemaNames) -> list[int]:
    """Return what an endpoint may answer by."""
    refused = {kind.status for kind in KINDS if kind.status not in _NOWHERE}
    if each.permission is None:
        # What takes a body without a key takes the token of a job.
        refused -= {code for code in _OF_KEYS if not each.body or code not in _OF_TOKENS}
        # What anybody may fetch of an organisation may not be there.
        refused |= {NOT_THERE.status, STALE.status} if each.query else set()
    unchanged = (304,) if each.method == "GET" and names.gives in TAGGED | FETCHED else ()
    return sorted({*names.succeeds, *unchanged, *refused})


def _response(code: int, each: Endpoint, names: SchemaNames) -> Json:
    if code == 304:
        return {"description": _SAID[code], "headers": _headers("Cache-Control", "ETag")}
    if code in names.succeeds:
        tagged = ["ETag"] if names.gives in TAGGED | FETCHED else []
        placed = ["Location"] if 201 in names.succeeds else []
        sized = ["Lockgate-Log-Size", "Lockgate-Size"] if names.gives == "ExportedLog" else []
        replayed = ["Idempotency-Replayed"] if each.is_once and each.method != "GET" else []
        kinds = CONTENT_TYPES.get(names.gives, JSON_TYPES)
        return {
            "description": _SAID[code],
            "headers": _headers("Cache-Control", *tagged, *placed, *replayed, *sized),
            "content": {kind: {"schema": shape(names.gives)} for kind in kinds},
        }
    return {"$ref": f"#/components/responses/Refused{code}"}


def _refusals() -> dict[str, Json]:
    statuses = sorted({kind.status for kind in KINDS})
    return {f"Refused{code}": _refusal(code) for code in statuses if code not in _NOWHERE}


def _refusal(code: int) -> Json:
    titles = [kind.title for kind in KINDS if kind.status == code]
    told = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}.get(code, [])
    return {
        "description": " Or: ".join(titles),
        "headers": _headers("Cache-Control", *told),
        "content": {CONTENT_TYPE: {"schema": shape("Problem")}},
    }


def _headers(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problem() -> Schema:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "advice"],
        "properties": {
            "type": one_of(TYPES + kind.name for kind in KINDS),
            "title": TEXT,
            "status": {"type": "integer", "enum": sorted({kind.status for kind in KINDS})},
            "detail": described(TEXT, "What is wrong with this call."),
            "advice": described(TEXT, "What to do."),
        },
    }
