# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the JSON Schemas of fields that several bodies have go out."""

from __future__ import annotations

from lockgate.core.app import NAME_PATTERN
from lockgate.core.canonical import Json
from lockgate.core.declaration.gate_field import GATES
from lockgate.core.link import MAX_LINKS, MAX_URL
from lockgate.core.permission import PRESETS, Permission
from lockgate.core.policy.duration import DURATION_PATTERN
from lockgate.core.receipt import MAX_TEXT
from lockgate.core.release_digest import MAX_DIGESTS
from lockgate.server.call import MAX_SPAN_S, MAX_WHOLE
from lockgate.server.schema import TEXT, WHOLE, Schema, described, list_of, mapping_of, or_null

# Halves of characters, which JSON can write: no letters of a name, and other languages' patterns cannot say so.
HALVES = r"\ud800-\udfff"
REASON: Schema = {**TEXT, "pattern": r"\S", "maxLength": MAX_TEXT, "description": "Why; the receipt keeps it."}
# One that is empty is as good as none.
REMARK: Schema = described(
    or_null({**TEXT, "pattern": r"^$(?!\n)|\S", "maxLength": MAX_TEXT}), "Why; the receipt keeps it."
)
NAME: Schema = {**TEXT, "pattern": f"^{NAME_PATTERN.replace(HALVES, '')}$"}
NUMBERED: Schema = {**WHOLE, "maximum": MAX_WHOLE - 1}
LINKS: Schema = {
    **mapping_of({**TEXT, "pattern": r"^https?://[A-Za-z0-9.\-\[\]:]+([/?#][!#-;=?-~]*)?$", "maxLength": MAX_URL}),
    "propertyNames": {"pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"},
    "maxProperties": MAX_LINKS,
}
DIGESTS: Schema = {
    **mapping_of({**TEXT, "pattern": "^sha256:[0-9a-f]{64}$"}),
    "propertyNames": LINKS["propertyNames"],
    "maxProperties": MAX_DIGESTS,
}
METRIC: Schema = {**TEXT, "minLength": 1, "maxLength": 160}
LEVEL: Schema = {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 1}
# As many as a policy may have gates.
METRICS: Schema = {**list_of(METRIC), "maxItems": GATES.most}
GRANTS: list[Json] = [*PRESETS, *(each.value for each in Permission)]


def span(least: int = 0, most: int = MAX_SPAN_S) -> Schema:
    """Return the schema of a span of time; what may be left out may also be null."""
    return {
        "anyOf": [
            {"type": "integer", "minimum": least, "maximum": most},
            {"type": "string", "pattern": DURATION_PATTERN},
            {"type": "null"},
        ],
        "description": "Seconds, or text such as `90s`, `2h`, `1d`.",
    }
