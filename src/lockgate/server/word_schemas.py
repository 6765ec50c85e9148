# SPDX-License-Identifier: Apache-2.0
"""A command that the command line asks comes in; the JSON Schema of the body by which it is asked goes out.

What the path names is no word. That these are the words which each command takes, a test holds by the commands' types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

from lockgate.core.api_key import MAX_NAME
from lockgate.core.link import MAX_LINKS
from lockgate.core.release_digest import MAX_DIGESTS
from lockgate.report.form import Form
from lockgate.server.call import MAX_SPAN_S, MAX_WHOLE
from lockgate.server.field_schemas import GRANTS, LEVEL, METRICS, NAME, NUMBERED, REASON
from lockgate.server.schema import FLAG, TEXT, Schema, described, list_of, or_null, record, shape
from lockgate.server.screens import ALL, Command

MOST_RUNS = 1_000
STATUSES = ("ok", "error", "timeout", "cancelled", None)
_SECONDS: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SPAN_S}
_SINCE = {"since_s": described(or_null(_SECONDS), "Only runs that began in the last so many seconds.")}
_PAIR: Schema = {**list_of(TEXT), "minItems": 2, "maxItems": 2}
_POLICY = described(shape("Policy"), "What a policy file holds.")
_WIDTH: Schema = {"type": ["integer", "null"], "minimum": 0, "maximum": MAX_WHOLE - 1}
_SCREEN = record({"width": _WIDTH, "colour": FLAG, "unicode": FLAG})
_BY = {"by": described(or_null(TEXT), "Passed over: a receipt names the key.")}
_YES = {"yes": described(FLAG, "Do it; else a question is answered, and nothing is done.")}
_OF_ONE = {"app_id": described(or_null(NAME), "Of one app alone.")}


@dataclass(frozen=True, slots=True)
class _Words:
    """What may be said with a command, and what has to be."""

    may: Mapping[str, Schema] = field(default_factory=dict)
    needs: Mapping[str, Schema] = field(default_factory=dict)


_WHY = _Words(_BY, {"reason": REASON})
_ON_SIGHT = _Words(
    {**_BY, **_YES, "step": or_null(NUMBERED), "revision": or_null(NUMBERED), "may_ask": FLAG}, {"reason": REASON}
)
_AT_ONCE = _Words({**_BY, **_YES}, {"reason": REASON})
_LOOK = _Words(
    {
        "left_s": described(or_null(NUMBERED), "How long is still watched; where it is given all is drawn."),
        "over_s": described(or_null(NUMBERED), "The time is over, after so many seconds."),
        "revision": described(NUMBERED, "What was told before, as are the lists."),
        "is_overdue": FLAG,
    },
    {"held": list_of(TEXT), "untold": list_of(TEXT)},
)
_COMPARE = _Words(
    {
        "baseline": or_null(NAME),
        **_SINCE,
        "policy": or_null(_POLICY),
        "per_gate_level": or_null(LEVEL),
        "form": {"enum": [*get_args(Form)]},
        "has_page": FLAG,
        "allow_thin": FLAG,
    },
    {"candidate": NAME, "command": described(TEXT, "What asks the same again."), "metrics": METRICS},
)
_CREATE = _Words(
    {
        "baseline": or_null(NAME),
        **_SINCE,
        "is_replacing": FLAG,
        "digests": {**list_of(_PAIR), "maxItems": MAX_DIGESTS},
        "program": {"type": "null", "description": "No call names a program."},
        "is_rehearsal": FLAG,
        "quiet": FLAG,
    },
    {
        "app_id": NAME,
        "candidate": NAME,
        "policy": _POLICY,
        "links": {**list_of(_PAIR), "maxItems": MAX_LINKS},
        "typed": {"type": "object", "description": "The options as they were typed."},
    },
)
_RECEIPTS = _Words(
    {
        "save": or_null(TEXT),
        "seq": or_null(NUMBERED),
        "since": or_null(TEXT),
        "kept": described(or_null(TEXT), "A checkpoint that was kept, in base64."),
    }
)
_RUNS = _Words(
    {
        "release": or_null(TEXT),
        "status": {"enum": list(STATUSES)},
        **_SINCE,
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST_RUNS},
    }
)
_NEW_KEY = _Words(
    {},
    {
        "name": {**TEXT, "pattern": r"\S", "maxLength": MAX_NAME},
        "words": {**list_of({"enum": GRANTS}), "minItems": 1},
        "apps": list_of(NAME),
        "life_s": {**_SECONDS, "minimum": 1},
    },
)
_WORDS: Mapping[str, _Words] = {
    **dict.fromkeys(("pause", "resume", "cancel", "clear-alarm"), _WHY),
    **dict.fromkeys(("approve", "promote"), _ON_SIGHT),
    **dict.fromkeys(("rollback", "freeze", "unfreeze", "kill"), _AT_ONCE),
    **dict.fromkeys(("look", "turn", "end"), _LOOK),
    "runs": _RUNS,
    "compare": _COMPARE,
    "create": _CREATE,
    "receipts": _RECEIPTS,
    "keys-create": _NEW_KEY,
    "list": _Words({**_OF_ONE, "active": FLAG}),
    "apps": _Words(_OF_ONE),
}
# What answers a program by itself.
_NO_JSON = ("compare", "kept")


def word_schema(command: Command) -> Schema:
    """Return the schema of the body of a command, with an example."""
    said = _WORDS.get(command.name, _Words())
    of_one = _OF_ONE if command.of == ALL and command.name in ("kill", "unfreeze") else {}
    form = {} if command.name in _NO_JSON else {"as_json": described(FLAG, "Answer a program.")}
    words = record({**said.needs, **said.may, **of_one, **form}, needs=tuple(said.needs))
    told = described(words, "The options of the command, as the command line sends them.")
    needs = ("words",) if said.needs else ()
    found = record({"words": told, "screen": described(_SCREEN, "What the text is fitted to.")}, needs=needs)
    return {**found, "examples": [{"words": command.words, "screen": {"width": 100}}]}
