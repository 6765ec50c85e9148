# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the JSON Schemas of the bodies that endpoints take, each with an example, go out by their names.

The examples can be meant where an app `web` tries `v37` against `v36`; a test sends each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from lockgate.core.api_key import MAX_NAME
from lockgate.core.canonical import Json
from lockgate.core.declaration.schema import policy_schema
from lockgate.core.webhook import EVENTS, MAX_GRACE_S, Format
from lockgate.core.webhook_url import MAX_URL
from lockgate.server.field_schemas import DIGESTS, GRANTS, LEVEL, LINKS, METRICS, NAME, NUMBERED, REASON, REMARK, span
from lockgate.server.schema import NUMBER, TEXT, Schema, described, list_of, or_null, record, shape
from lockgate.server.screens import COMMANDS
from lockgate.server.word_schemas import word_schema


def _example(schema: Schema, **example: Json) -> Schema:
    return {**schema, "examples": [example]}


def _policy() -> Schema:
    return {name: part for name, part in policy_schema().items() if name not in ("$schema", "title")}


def _order() -> Schema:
    policy = cast("dict[str, Schema]", policy_schema()["properties"])
    flat = {name: policy[name] for name in ("mode", "steps", "min_runs", "require_pairwise")}
    order = record(
        {
            "app_id": described(or_null(NAME), "The app; needed unless the policy names it."),
            "baseline": described(or_null(NAME), "The release that is trusted; by default the champion."),
            "candidate": described(NAME, "The release on trial."),
            "since": described(span(), "Also read runs of so long ago."),
            "links": described(LINKS, "Where more is to be read of it, for people."),
            "digests": described(DIGESTS, "The parts that the candidate is made of, by name."),
            "replace": {"type": "boolean", "description": "Cancel what is on trial in the app already."},
            "metrics": described(or_null({**METRICS, "minItems": 1}), "Gates by name, in place of a policy's."),
            "policy": described(shape("Policy"), "What a policy file holds."),
            **flat,
        },
        needs=("candidate",),
    )
    of_policy = {"type": "object", "properties": {"app": TEXT}, "required": ["app"]}
    by_itself = {"properties": {"app_id": NAME}, "required": ["app_id"]}
    return {**order, "anyOf": [by_itself, {"properties": {"policy": of_policy}, "required": ["policy"]}]}


def _comparison() -> Schema:
    return record(
        {
            "app_id": described(NAME, "The app whose kept runs are compared."),
            "baseline": described(
                or_null(NAME), "The release that is trusted; not needed where every gate has a limit."
            ),
            "candidate": described(NAME, "The other one."),
            "policy": described(or_null(shape("Policy")), "Gates, as a policy file holds them."),
            "metrics": described(METRICS, "Gates by name, in place of a policy's."),
            "per_gate_level": described(or_null(LEVEL), "Judge each gate at this level by itself."),
            "since": described(span(), "Only runs that began in the last so long."),
        },
        needs=("app_id", "candidate"),
    )


def _key() -> Schema:
    return record(
        {
            "name": {**TEXT, "pattern": r"\S", "maxLength": MAX_NAME, "description": "Who uses it."},
            "allow": described(
                {**list_of({"enum": GRANTS}), "minItems": 1}, "Presets and permissions within the caller's own."
            ),
            "apps": described(list_of(NAME), "The apps that it is for; none: all, where the caller's is."),
            "expires": described(span(least=1), "After how long; by default 90 days, at most 366."),
        },
        needs=("name", "allow"),
    )


def _webhook() -> Schema:
    known: list[Json] = [each.value for each in EVENTS]
    return record(
        {
            "url": described(
                {**TEXT, "maxLength": MAX_URL},
                "Where messages are sent: https, and of the internet unless it is allowed.",
            ),
            "app_id": described(or_null(NAME), "Of which app; without it of every app that there is."),
            "events": described(
                or_null({**list_of({"enum": known}), "minItems": 1}), "What of; by default everything."
            ),
            "format": {"enum": [each.value for each in Format], "description": "How bodies are written."},
            "hub_header": {"type": "boolean", "description": "Also sign the body alone, in X-Lockgate-Signature."},
            "reason": REMARK,
        },
        needs=("url",),
    )


_SIGHT = {
    "reason": REASON,
    "step": described(NUMBERED, "The step that was seen, from 0."),
    "revision": described(NUMBERED, "The revision that was seen."),
}

BODY_SCHEMAS: Mapping[str, Schema] = {
    "Nothing": _example(record({})),
    "Reason": _example(record({"reason": REASON}, needs=("reason",)), reason="errors at checkout"),
    "Sight": _example(record(_SIGHT, needs=tuple(_SIGHT)), reason="looks well", step=0, revision=1),
    "Order": _example(_order(), app_id="web", baseline="v36", candidate="v37", mode="canary", steps="5,25,50,100"),
    "Policy": _example(_policy(), mode="canary", gates=["error_rate"]),
    "LiveWeight": _example(
        record(
            {
                "weight": {"type": "number", "minimum": 0, "maximum": 100, "description": "Percent that is live."},
                "revision": described(NUMBERED, "The revision by which it was set."),
            },
            needs=("weight", "revision"),
        ),
        weight=5,
        revision=1,
    ),
    "Question": _example(_comparison(), app_id="web", baseline="v36", candidate="v37", metrics=["error_rate"]),
    # Of one line; the rest of its fields are in the how-to of the run record.
    "Run": _example(
        {
            "type": "object",
            "properties": {"app_id": NAME, "release": NAME, "status": TEXT, "latency_ms": NUMBER},
            "required": ["release"],
        },
        app_id="web",
        release="v36",
        status="ok",
        latency_ms=41.5,
    ),
    "NewWebhook": _example(_webhook(), url="https://hooks.example.com/lockgate", app_id="web"),
    "WebhookChange": _example(
        record(
            {
                "events": cast("dict[str, Schema]", _webhook()["properties"])["events"],
                "active": {"type": "boolean", "description": "Whether it is sent anything."},
                "reason": REMARK,
            }
        ),
        events=["rollout.rollback"],
    ),
    "WebhookEnd": _example(record({"reason": REMARK}), reason="it moved"),
    "Rotation": _example(
        record(
            {
                "grace": described(
                    span(most=MAX_GRACE_S), "How long the older secret signs as well; by default 24 h, at most 7 days."
                ),
                "force": {"type": "boolean", "description": "Also while it is being rotated already."},
                "reason": REMARK,
            }
        ),
        grace="24h",
        force=True,
    ),
    **{each.takes: word_schema(each) for each in COMMANDS},
    "JobToken": _example(
        record(
            {
                "token": described(TEXT, "The ID token of the job, for the audience that a trust rule names."),
                "org": described(TEXT, "Whose trust rules; by default those of `default`."),
            },
            needs=("token",),
        ),
        token="eyJhbGciOiJSUzI1NiJ9.e30.AA",  # noqa: S106 -- it opens nothing
    ),
    "NewKey": _example(_key(), name="deploys of web", allow=["ci"], apps=["web"], expires="90d"),
}
