# SPDX-License-Identifier: Apache-2.0
"""What went wrong comes in; a problem document (RFC 9457) with a stable type, a sentence and advice goes out.

This table is the only one: the server, its tests and the documentation read it.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from lockgate.core.canonical import Json
from lockgate.core.id_token import ClosedIssuerError, SilentIssuerError
from lockgate.errors import (
    ClosedStoreError,
    DataError,
    ExpiredKeyError,
    HeldError,
    LaterStoreError,
    LeftError,
    LockgateError,
    MalformedKeyError,
    NotPermittedError,
    OlderStoreError,
    RefusedUrlError,
    ReusedKeyError,
    RevokedKeyError,
    TooManyRunsError,
    TryAgainError,
    UnknownError,
    UnknownFieldError,
    UnreachableError,
    UnsoundError,
    UsageError,
)
from lockgate.report.text import printable
from lockgate.server.complaints import Complaints

CONTENT_TYPE = "application/problem+json"
TYPES = "urn:lockgate:problem:"


class Kind(NamedTuple):
    """One row of the table; `name` never changes its meaning."""

    name: str
    status: int
    title: str


NOT_A_CALL = Kind("invalid-call", 400, "The call cannot be meant.")
NO_FIELD = Kind("unknown-field", 400, "The call has a field or parameter that nobody knows.")
NOT_DATA = Kind("invalid-data", 400, "What was sent or named is wrong, and nothing was changed.")
NOT_A_CURSOR = Kind("cursor-of-another-list", 400, "The cursor is none of this list.")
NOT_A_RECEIVER = Kind("webhook-url-refused", 400, "The URL may not be called from here, and nothing is kept of it.")
NOT_HTTP = Kind("invalid-http", 400, "What was sent is no request of HTTP.")
NO_KEY = Kind("key-needed", 401, "No key that opens anything was sent.")
MALFORMED = Kind("key-malformed", 401, "What was sent as a key has not the form of one.")
EXPIRED = Kind("key-expired", 401, "The time of the key is over.")
REVOKED = Kind("key-revoked", 401, "The key was revoked.")
NO_TRUST = Kind("token-refused", 401, "The token of the job opens nothing.")
USED_TOKEN = Kind("token-used", 401, "The token of the job was exchanged before.")
NOT_ALLOWED = Kind("permission-missing", 403, "The key is not for this.")
NOT_OF_KEY = Kind("app-not-of-key", 403, "The key is for other apps.")
CLOSED_ISSUER = Kind("issuer-not-allowed", 403, "The server may not call the issuer of the token.")
NOT_LOCAL = Kind("not-local", 403, "An open server answers only programs of its own machine.")
NOT_THERE = Kind("not-found", 404, "What the call names is not there.")
NO_METHOD = Kind("method-not-allowed", 405, "The path is there, and the method is not.")
TOO_SLOW = Kind("body-too-slow", 408, "The body did not come in time.")
HEAD_TOO_SLOW = Kind("head-too-slow", 408, "The head of the request did not come in time.")
REFUSED = Kind("refused", 409, "It may not be done as things stand.")
CONFLICT = Kind("conflict", 409, "It stands otherwise than the call takes it to.")
REUSED = Kind("idempotency-conflict", 409, "The Idempotency-Key belongs to another call.")
STALE = Kind("precondition-failed", 412, "What the call supposes is not so, or no longer.")
TOO_LARGE = Kind("body-too-large", 413, "The body is larger than the path takes.")
TOO_PACKED = Kind("body-unpacks-too-far", 413, "The body unpacks to far more than what was sent.")
TOO_MANY_RUNS = Kind("too-many-runs", 413, "The batch has more runs than are taken at once.")
WRONG_TYPE = Kind("media-type", 415, "The path does not take bodies of this kind.")
WRONG_ENCODING = Kind("content-encoding", 415, "The path does not take bodies that are packed like this.")
TOO_MANY = Kind("rate-limited", 429, "Too many calls came.")
HEAD_TOO_LARGE = Kind("head-too-large", 431, "The head of the request is too large.")
INTERNAL = Kind("internal", 500, "This is a fault in Lockgate.")
UNSOUND = Kind("store-unsound", 500, "The store is not whole.")
OLDER = Kind("store-older", 500, "The store is an older copy, or another one.")
HELD = Kind("store-held", 503, "Another process holds the store.")
LATER = Kind("store-later", 503, "The store is of a later version of Lockgate than the server.")
LEFT = Kind("store-left", 503, "The store goes on elsewhere.")
KEYLESS = Kind("keys-not-here", 503, "The keys that sign the store are not here.")
UNREACHABLE = Kind("unreachable", 503, "Something that the server needs did not answer.")
SILENT_ISSUER = Kind("issuer-silent", 503, "The issuer of the token does not tell its keys.")
CROWDED = Kind("too-many-connections", 503, "As many are connected as may be.")

KINDS = (
    NOT_A_CALL,
    NO_FIELD,
    NOT_DATA,
    NOT_A_CURSOR,
    NOT_A_RECEIVER,
    NOT_HTTP,
    NO_KEY,
    MALFORMED,
    EXPIRED,
    REVOKED,
    NO_TRUST,
    USED_TOKEN,
    NOT_ALLOWED,
    NOT_OF_KEY,
    CLOSED_ISSUER,
    NOT_LOCAL,
    NOT_THERE,
    NO_METHOD,
    TOO_SLOW,
    HEAD_TOO_SLOW,
    REFUSED,
    CONFLICT,
    REUSED,
    STALE,
    TOO_LARGE,
    TOO_PACKED,
    TOO_MANY_RUNS,
    WRONG_TYPE,
    WRONG_ENCODING,
    TOO_MANY,
    HEAD_TOO_LARGE,
    INTERNAL,
    UNSOUND,
    OLDER,
    HELD,
    LATER,
    LEFT,
    KEYLESS,
    UNREACHABLE,
    SILENT_ISSUER,
    CROWDED,
)
# What those are answered whom nobody knows; who is answered so too often is told to wait.
OF_STRANGERS = (NO_KEY, MALFORMED, EXPIRED, REVOKED, NO_TRUST, USED_TOKEN, CLOSED_ISSUER, SILENT_ISSUER)
# The first kind of error that fits counts.
_BY_ERROR: dict[type[LockgateError], Kind] = {
    UnknownError: NOT_THERE,
    RefusedUrlError: NOT_A_RECEIVER,
    ReusedKeyError: REUSED,
    UnknownFieldError: NO_FIELD,
    UsageError: NOT_A_CALL,
    OlderStoreError: OLDER,
    UnsoundError: UNSOUND,
    LaterStoreError: LATER,
    TooManyRunsError: TOO_MANY_RUNS,
    DataError: NOT_DATA,
    HeldError: HELD,
    TryAgainError: CONFLICT,
    LeftError: LEFT,
    ClosedStoreError: UNREACHABLE,
    ExpiredKeyError: EXPIRED,
    MalformedKeyError: MALFORMED,
    RevokedKeyError: REVOKED,
    NotPermittedError: REFUSED,
    ClosedIssuerError: CLOSED_ISSUER,
    SilentIssuerError: SILENT_ISSUER,
    UnreachableError: UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What one call is answered instead of what it asked for."""

    kind: Kind
    detail: str
    advice: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "type": TYPES + self.kind.name,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "advice": self.advice,
        }


_TOLD = "Whoever runs the server finds more on its standard error."
# What the store says of itself names files of the server's machine, which are no caller's business.
_OWN = {
    HELD: Problem(HELD, "another process holds the store", "Try again."),
    LATER: Problem(
        LATER,
        "another server, or a command, brought the store to a later version of Lockgate than this server's",
        f"Try again: it answers once it is restarted with that version. {_TOLD}",
    ),
    LEFT: Problem(LEFT, "the store of this server was copied and goes on elsewhere", f"Call that one. {_TOLD}"),
    UNREACHABLE: Problem(UNREACHABLE, "the disk of the store, or something outside, failed", f"Try again. {_TOLD}"),
    CLOSED_ISSUER: Problem(
        CLOSED_ISSUER,
        "the issuer of the token is in a network that this server may not call",
        f"Trying again does not help: ask whoever runs the server to name it in LOCKGATE_OIDC_ALLOW. {_TOLD}",
    ),
    SILENT_ISSUER: Problem(
        SILENT_ISSUER, "the keys that the token is signed by cannot be fetched just now", "Try again in half a minute."
    ),
    UNSOUND: Problem(UNSOUND, "what is stored cannot be read", f"{_TOLD} `lockgate fsck` says what is wrong."),
    OLDER: Problem(
        OLDER,
        "this store lacks what its log had when it was last seen here, so that nothing may be signed in it",
        f"Reading works. {_TOLD}",
    ),
    INTERNAL: Problem(INTERNAL, "the call failed by a fault in Lockgate", f"Please report it. {_TOLD}"),
}


class ProblemError(Exception):
    """A call that the server itself refuses."""

    def __init__(self, kind: Kind, detail: str, advice: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(kind, detail, advice, headers or {})


def _say(text: str) -> None:
    # Where standard error is full or gone, the caller is answered all the same.
    with suppress(OSError):
        sys.stderr.write("".join(f"{printable(line)}\n" for line in text.splitlines()))


# Every call meets an outage, and so does what asks twice a second whether the server is ready.
_COMPLAINTS = Complaints(_say)


def problem_of(error: LockgateError) -> Problem:
    """Return the problem that an explained failure is; one of the server's own is said in full on standard error."""
    kind = next((kind for of, kind in _BY_ERROR.items() if isinstance(error, of)), INTERNAL)
    if kind not in _OWN:
        return Problem(kind, error.message, error.advice)
    _COMPLAINTS.hear(error.message)
    return _OWN[kind]


def problem_of_fault() -> Problem:
    """Return the problem that a fault in Lockgate is, whose trace is written down."""
    _say(traceback.format_exc())
    return _OWN[INTERNAL]
