# SPDX-License-Identifier: Apache-2.0
"""The predicate of a statement comes in; what of it has another form than docs/reference/receipt.md gives goes out.

Only members that Lockgate reads of somebody else's receipts are looked at; members that nobody knows yet are let be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import chain

from lockgate.core.canonical import Json

Form = Callable[[Json], bool]
_HEX = re.compile(r"[0-9a-f]{64}")
# White space in a text of Python is what Unicode calls White_Space, and some control characters besides.
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,256}")
_MOST = 2**53 - 1
_MAX_DIGESTS = 16
# What a rollout's last receipt says where only a rollback can follow, and that only where it was promoted.
ENDED = frozenset(("promoted", "rolled_back", "cancelled"))
_STATUSES = ENDED | {"active", "paused"}


class Kind(StrEnum):
    """What a series of receipts is of."""

    ROLLOUT = "rollout"
    APP = "app"
    ORGANISATION = "organisation"


def kind_of(series: str) -> Kind:
    """Return what a series is of, by its id."""
    return {"app_": Kind.APP, "org_": Kind.ORGANISATION}.get(series[:4], Kind.ROLLOUT)


def misshapen(predicate: Mapping[str, Json]) -> str | None:
    """Return in words the first member whose form is another; None where there is none."""
    for name, form in chain(_EVERY, _members(predicate)):
        if not form(_at(predicate, name)):
            return f"{name} must be {_WORDS[form]}"
    return None


def sha256_of(value: Json) -> str | None:
    """Return the hexadecimal of a digest set that holds a SHA-256 and nothing else."""
    if not isinstance(value, Mapping) or set(value) != {"sha256"}:
        return None
    text = value["sha256"]
    return text if isinstance(text, str) and _sha256(text) else None


def _members(predicate: Mapping[str, Json]) -> Iterator[tuple[str, Form]]:
    """Yield what receipts of its kind have besides, each by its path and form."""
    kind = kind_of(str(predicate["rolloutId"]))
    if kind is Kind.ROLLOUT:
        yield from _ROLLOUT
    # Before its first receipt an organisation has nothing in custody.
    is_first = kind is Kind.ORGANISATION and predicate["from"] == {}
    for side in ("to",) if is_first else ("from", "to"):
        yield from ((f"{side}.{name}", form) for name, form in _STANDING[kind])


def _at(predicate: Mapping[str, Json], path: str) -> Json:
    """Return what stands at a path; what is left out is read as null."""
    part, _, name = path.rpartition(".")
    held = predicate.get(part) if part else predicate
    return held.get(name) if isinstance(held, Mapping) else None


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _text_or_null(value: Json) -> bool:
    return value is None or isinstance(value, str)


def _name(value: Json) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _name_or_null(value: Json) -> bool:
    return value is None or _name(value)


def _truth(value: Json) -> bool:
    return isinstance(value, bool)


def _count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def _ordinal(value: Json) -> bool:
    return _count(value) and value != 0


def _weight(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


def _weight_or_null(value: Json) -> bool:
    return value is None or _weight(value)


def _object(value: Json) -> bool:
    return isinstance(value, Mapping)


def _object_or_null(value: Json) -> bool:
    return value is None or isinstance(value, Mapping)


def _digests_or_null(value: Json) -> bool:
    return value is None or (isinstance(value, Mapping) and len(value) <= _MAX_DIGESTS)


def _status(value: Json) -> bool:
    return isinstance(value, str) and value in _STATUSES


def _sha256(value: Json) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _digest(value: Json) -> bool:
    return sha256_of(value) is not None


_WORDS: Mapping[Form, str] = {
    _text: "a text",
    _text_or_null: "a text or null",
    _name: "a name of 1 to 256 characters, none of them white space or a control character",
    _name_or_null: "null or a name of 1 to 256 characters, none of them white space or a control character",
    _truth: "true or false",
    _count: "an integer from 0 to 2^53 - 1",
    _ordinal: "an integer from 1 to 2^53 - 1",
    _weight: "a weight, 0 to 100",
    _weight_or_null: "a weight, 0 to 100, or null",
    _object: "an object",
    _object_or_null: "an object or null",
    _digests_or_null: f"an object of at most {_MAX_DIGESTS} members, or null",
    _status: "one of how a rollout may stand",
    _sha256: "a SHA-256 in lower-case hexadecimal",
    _digest: "an object with one SHA-256 in lower-case hexadecimal",
}
_EVERY: tuple[tuple[str, Form], ...] = (
    *((name, _text) for name in ("receiptId", "org", "rolloutId", "mode", "decidedAt")),
    *((name, _object) for name in ("baseline", "candidate", "from", "to", "promise", "policy", "evidence")),
    ("decision", _object),
    *((f"decision.{name}", _text) for name in ("action", "cause", "reason")),
    ("engine", _object),
    ("engine.name", _text),
    ("engine.version", _text),
    ("actor", _object),
    ("actor.type", _text),
    ("actor.name", _text_or_null),
    ("actor.reason", _text_or_null),
)
_ROLLOUT: tuple[tuple[str, Form], ...] = (
    ("advisory", _truth),
    ("baseline.release", _name),
    ("candidate.release", _name),
    ("candidate.attempt", _ordinal),
    ("candidate.digests", _digests_or_null),
    ("decision.step", _count),
    ("decision.weight", _weight),
    ("decision.terminal", _truth),
    ("decision.target", _object_or_null),
    ("policy.sha256", _sha256),
    ("evidence.stateBefore", _digest),
    ("evidence.stateAfter", _digest),
)
_STANDING: Mapping[Kind, tuple[tuple[str, Form], ...]] = {
    Kind.ROLLOUT: (
        ("status", _status),
        ("step", _count),
        ("weight", _weight),
        ("wouldBeWeight", _weight_or_null),
        ("revision", _count),
    ),
    Kind.APP: (
        ("champion", _name_or_null),
        ("formerChampion", _name_or_null),
        ("frozen", _text_or_null),
        ("killed", _truth),
        ("actuator", _object_or_null),
        ("keptFrom", _count),
    ),
    Kind.ORGANISATION: (
        ("receiptKey", _sha256),
        ("logKey", _sha256),
        ("rawUntil", _count),
        ("deliveriesUntil", _count),
        *((name, _object_or_null) for name in ("webhooks", "trust", "manifest", "overlap")),
    ),
}
