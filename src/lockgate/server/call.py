# SPDX-License-Identifier: Apache-2.0
"""A request whose caller is known comes in; what its handler reads of it, checked, goes out, and the answer's form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NoReturn

from lockgate.core.canonical import Json
from lockgate.core.declaration.nearest import question
from lockgate.core.policy.duration import duration_seconds
from lockgate.core.receipt import Actor
from lockgate.errors import DataError, UnknownFieldError, UsageError
from lockgate.ports.house import House
from lockgate.ports.id_tokens import IdTokens
from lockgate.ports.reading import RunBatches
from lockgate.ports.webhooks import Receivers
from lockgate.report.screen import Screen
from lockgate.server.caller import Caller
from lockgate.server.gathering import Gathering
from lockgate.server.meter import DEAF, Meter
from lockgate.server.sending import Sending

MAX_WHOLE = 2**53
# Of every list.
MAX_PAGE = 1_000
MAX_SPAN_S = 366 * 86_400
JSON_TYPES = ("application/json",)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_NUL = rb"\u0000"


def ask_nothing(name: str, _words: Mapping[str, object], _screen: Screen, _call: Call) -> dict[str, Json]:
    """Refuse a command, where nobody said what answers it."""
    raise UsageError(f"this server answers no command {name}", advice="Call the other endpoints.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: `house` is that of the caller's organisation; `batches` decodes runs; `is_ticking` says of the server.

    `wake` lets whoever delivers look at once. `receivers`: what reaches webhooks; None where none is sent anything.
    `id_tokens`: what knows who signed the token of a job; None where none is exchanged.
    """

    house: House
    caller: Caller
    batches: RunBatches
    gathering: Gathering = field(default_factory=Gathering)
    is_ticking: bool = False
    wake: Callable[[], None] = lambda: None
    meter: Meter = DEAF
    ask: Ask = ask_nothing
    receivers: Receivers | None = None
    id_tokens: IdTokens | None = None
    method: str = "GET"
    path: str = "/"
    named: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def document(self, *known: str) -> dict[str, object]:
        """Return the object that the body is; a field that nobody knows is refused."""
        document = read_object(self.body) if self.body else {}
        check_names("field", document, known)
        return document

    def text(self, name: str) -> str | None:
        """Return a text of the query."""
        return self.query.get(name)

    def flag(self, name: str) -> bool | None:
        """Return a truth of the query."""
        text = self.query.get(name)
        if text not in (None, "true", "false"):
            raise UsageError(f"{name} is {text!r} in the query", advice="Write true or false.")
        return None if text is None else text == "true"

    def choice(self, name: str, known: Iterable[str]) -> str | None:
        """Return a word of the query, one of those that are known."""
        text, words = self.query.get(name), [str(each) for each in known]
        if text is not None and text not in words:
            raise UsageError(f"{name} is {text!r} in the query", advice=f"Write {' or '.join(words)}.")
        return text

    def whole(self, name: str, default: int, most: int) -> int:
        """Return a number of the query from 1 to the most that there may be."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            raise UsageError(f"{name} is {text!r} in the query", advice=f"It is a whole number from 1 to {most:,}.")
        return int(text)

    def actor(self, document: Mapping[str, object]) -> Actor:
        """Return who acts and for which reason."""
        reason = document.get("reason")
        if not isinstance(reason, str):
            raise UsageError("the body has no reason", advice='Send {"reason": "..."}; the receipt keeps it.')
        return self.caller.actor(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call is answered."""

    document: Json = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    # In place of the document, where the bytes are there already.
    body: bytes | None = None
    kind: str = JSON_TYPES[0]
    # In place of both, where it is long: pieces that are sent one by one, by a call that only looks.
    sending: Sending | None = None
    # What is kept for whoever calls again with the same idempotency key, in place of a document that holds a secret.
    kept: Json = None

    def encoded(self) -> bytes:
        """Return the bytes of the body."""
        return encode(self.document) if self.body is None else self.body


Handler = Callable[[Call], Answer]
# The name of a command, its words and what a screen shows come in; the document of what it says goes out.
Ask = Callable[[str, Mapping[str, object], Screen, Call], dict[str, Json]]


def encode(document: Json) -> bytes:
    """Return the bytes of a document; only ASCII leaves, and no number that JSON has not."""
    return json.dumps(document, allow_nan=False).encode("ascii") + b"\n"


def read_object(body: bytes) -> dict[str, object]:
    """Return the JSON object that some bytes are, in which no name comes twice."""
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
        if _HALF.search(body):
            # Half of a pair of surrogates is no character, and nothing that is written anywhere may hold one.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise DataError(f"the body is not JSON: {error}", advice="Send one JSON object in UTF-8.") from error
    if _NUL in body and _has_nul(found):
        raise DataError("a text of the body has a zero byte", advice="Leave it out; not every store can hold it.")
    if not isinstance(found, dict):
        raise DataError("the body is not a JSON object", advice='Send an object: {"name": ...}.')
    return found


def _has_nul(found: object) -> bool:
    """Say whether a text within a document, or a name in it, has a zero byte."""
    if isinstance(found, dict):
        return any(_has_nul(each) for pair in found.items() for each in pair)
    if isinstance(found, list):
        return any(_has_nul(each) for each in found)
    return isinstance(found, str) and "\0" in found


def check_names(noun: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    """Refuse a name that nobody knows, with the one that may be meant."""
    for name in given:
        if name not in known:
            there = f"Known: {', '.join(known)}." if known else "There is none here."
            raise UnknownFieldError(f"there is no {noun} {name!r}", advice=f"{question(name, known)}{there}")


def whole_of(document: Mapping[str, object], name: str) -> int | None:
    """Return a whole number of a document."""
    value = _plain(document.get(name))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_WHOLE:
        raise UsageError(f"{name} is not a whole number", advice="Send a number from 0 up.")
    return value


def text_of(document: Mapping[str, object], name: str) -> str | None:
    """Return a text of a document."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} is not text", advice="Send it in quotes.")
    return value


def flag_of(document: Mapping[str, object], name: str) -> bool:
    """Return a truth of a document."""
    value = document.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"{name} is neither true nor false", advice="Send true or false, without quotes.")
    return value


def seconds_of(document: Mapping[str, object], name: str) -> int | None:
    """Return a span of time of a document: seconds, or text such as `2h`."""
    value = _plain(document.get(name))
    if value is None:
        return None
    seconds = duration_seconds(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= MAX_SPAN_S:
        raise UsageError(f"{name} is no span of time of at most 366 days", advice='Send seconds, or text such as "2h".')
    return seconds


def names_of(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a list of texts of a document; none where it has none."""
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{name} is no list of texts", advice='Send ["...", "..."].')
    return tuple(value)


def needed(name: str, value: str | None) -> str:
    """Return a text that a call cannot be meant without."""
    if value is None:
        raise UsageError(f"{name} is missing", advice="Name it in the body.")
    return value


def _plain(value: object) -> object:
    """Return a number without its point where nothing stands behind that: to JSON 7.0 is 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("a number has no end")
    return number


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
