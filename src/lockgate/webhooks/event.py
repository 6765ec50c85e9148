# SPDX-License-Identifier: Apache-2.0
"""Headers, the raw body and the endpoint's secret come in; what a webhook says goes out, if Lockgate sent it lately.

For whoever receives webhooks: it loads the standard library only. The signatures are Standard Webhooks 1.0 (`v1`).
"""

from __future__ import annotations

import hmac
import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lockgate.core.base64_text import from_base64
from lockgate.errors import DataError, UsageError

TOLERANCE_S = 300
MAX_BODY = 1 << 20
MAX_HEADER, MAX_SIGNATURES, MAX_SECRETS = 4_096, 32, 16
PREFIX, MIN_SECRET, MAX_SECRET = "whsec_", 24, 64
DIGEST_BYTES = 32
FULL = 100.0
# What asks for a weight; every other type only tells.
MOVES = frozenset({"rollout.created", "rollout.promote", "rollout.reduce", "rollout.rollback"})
# Without a dot: what is signed is `id.timestamp.body`, and must not be cut in two ways.
ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class WebhookError(DataError):
    """A request is no webhook to act on; answer it by 400 or 401 and do nothing."""


class HeadersError(WebhookError):
    """A header is missing, comes twice, is too long or means nothing."""


class SignatureError(WebhookError):
    """No signature was made of these bytes with a secret that is known here."""


class TimestampError(WebhookError):
    """It was signed rightly, and too long ago or for a time that is still to come."""


class BodyError(WebhookError):
    """It was signed rightly, and says nothing that this version understands."""


class SecretError(UsageError):
    """What was given as a secret is none; no message shows it."""


class Headers(Protocol):
    """The headers of a request, as any server has them."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return names and values."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a webhook says: `data` is all of it, and what a receiver needs of a rollout is named; None where it is not.

    `id` is the same however often it comes, and `timestamp` is of this attempt. `weight` is the percent that the
    candidate is to have; `target`, if there is any, gets the rest, and every other release nothing. `log_index` counts
    up with each decision.
    """

    id: str
    type: str
    timestamp: int
    data: Mapping[str, Any] = field(repr=False)
    app: str | None = None
    rollout_id: str | None = None
    candidate: str | None = None
    baseline: str | None = None
    target: str | None = None
    weight: float | None = None
    terminal: bool | None = None
    revision: int | None = None
    seq: int | None = None
    log_index: int | None = None
    receipt_id: str | None = None

    @property
    def is_movement(self) -> bool:
        """Say whether it asks for a weight that a router can be given."""
        is_live = self.data.get("mode") == "canary" and self.type in MOVES
        return is_live and None not in (self.app, self.candidate, self.weight, self.log_index)


def verify(
    headers: Headers,
    body: bytes,
    secrets: str | Sequence[str],
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE_S,
) -> Event:
    """Return what a webhook says; raise a `WebhookError` unless one of the secrets signed it within the tolerance.

    `body` are the bytes as they came: a body that was parsed and written again has another signature. `now` is in
    seconds since the epoch. During a rotation give both secrets.
    """
    if not isinstance(body, bytes):
        raise UsageError("the body is not bytes", advice="Hand over the raw body of the request, before any parsing.")
    keys = _keys((secrets,) if isinstance(secrets, str) else secrets)
    if len(body) > MAX_BODY:
        raise BodyError(f"the body has more than {MAX_BODY:,} bytes", advice="Answer it by 413.")
    found = _found(headers)
    name, stamp = _matching(found, "webhook-id", ID), _matching(found, "webhook-timestamp", SECONDS)
    _check_signature(found["webhook-signature"], b".".join((name.encode(), stamp.encode(), body)), keys)
    timestamp = int(stamp)
    _check_time(timestamp, time.time() if now is None else now, tolerance)
    return _event(name, timestamp, body)


def check_secrets(secrets: Sequence[str]) -> None:
    """Refuse what is no secret, so that a receiver finds out when it starts and not by its first webhook."""
    _keys(secrets)


def _keys(secrets: Sequence[str]) -> list[bytes]:
    if not 1 <= len(secrets) <= MAX_SECRETS:
        raise SecretError(f"{len(secrets)} secrets are given", advice=f"Give 1 to {MAX_SECRETS}.")
    return [_key(secret, number) for number, secret in enumerate(secrets, 1)]


def _key(secret: str, number: int) -> bytes:
    try:
        key = from_base64(secret.removeprefix(PREFIX)) if secret.startswith(PREFIX) else b""
    except ValueError:
        key = b""
    if not MIN_SECRET <= len(key) <= MAX_SECRET:
        raise SecretError(
            f"secret {number} is not {PREFIX} and the base64 of {MIN_SECRET} to {MAX_SECRET} bytes",
            advice="Give it as it was shown when the endpoint was created or its secret was rotated.",
        ) from None
    return key


def _found(headers: Headers) -> dict[str, str]:
    """Return the three headers, whatever the case of their names."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        known = name.lower()
        if known not in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            continue
        if known in found:
            raise HeadersError(f"the header {known} comes twice", advice="Answer by 400.")
        if len(value) > MAX_HEADER:
            raise HeadersError(f"the header {known} is too long", advice="Answer by 400.")
        found[known] = value
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if name not in found]
    if missing:
        raise HeadersError(
            f"the header {missing[0]} is missing", advice="Hand over all headers; a proxy in front must pass them on."
        )
    return found


def _matching(found: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    if form.fullmatch(found[name]) is None:
        raise HeadersError(f"the header {name} has another form than any that is sent", advice="Answer by 400.")
    return found[name]


def _check_signature(header: str, signed: bytes, keys: Sequence[bytes]) -> None:
    texts = header.split(" ")
    if len(texts) > MAX_SIGNATURES:
        raise HeadersError(f"there are more than {MAX_SIGNATURES} signatures", advice="Answer by 400.")
    made = [hmac.digest(key, signed, "sha256") for key in keys]
    # All are compared, so that the time does not tell which was near.
    are_equal = [hmac.compare_digest(one, other) for one in _signatures(texts) for other in made]
    if not any(are_equal):
        raise SignatureError(
            "none of the signatures was made with a secret that is known here",
            advice="Compare the secret, and hand over the body as it came; answer by 401.",
        )


def _signatures(texts: Sequence[str]) -> Iterator[bytes]:
    for text in texts:
        version, _, encoded = text.partition(",")
        if version != "v1":
            continue
        try:
            signature = from_base64(encoded)
        except ValueError:
            continue
        if len(signature) == DIGEST_BYTES:
            yield signature


def _check_time(timestamp: int, now: float, tolerance: float) -> None:
    age = now - timestamp
    # Written so that a tolerance or a clock that is no number lets nothing through.
    if not abs(age) <= tolerance:
        direction = "ago" if age > 0 else "ahead of this clock"
        raise TimestampError(
            f"it was sent {abs(age):,.0f} s {direction}; {tolerance:g} s are let through",
            advice="Set this machine's clock by NTP; where that is right, somebody plays an old request again.",
        )


def _event(name: str, timestamp: int, body: bytes) -> Event:
    document = _document(body)
    kind, data = document.get("type"), document.get("data")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise BodyError("the body has no type, or no data", advice="Is the endpoint made for another receiver?")
    target = _value(data, "target", dict)
    return Event(
        id=name,
        type=kind,
        timestamp=timestamp,
        data=data,
        app=_text(data, "app"),
        rollout_id=_text(data, "rollout_id"),
        candidate=_text(data, "candidate_release"),
        baseline=_text(data, "baseline_release"),
        target=_text(data, "baseline_release") if target is None else _text(target, "release"),
        weight=_weight(data),
        terminal=_value(data, "terminal", bool),
        revision=_whole(data, "revision"),
        seq=_whole(data, "seq"),
        log_index=_whole(data, "log_index"),
        receipt_id=_text(data, "decision_event_id"),
    )


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BodyError("the body is no JSON object, or names a field twice", advice="Answer by 400.") from None
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field comes twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _value(data: Mapping[str, Any], name: str, *kinds: type) -> Any:  # noqa: ANN401 -- of one of the kinds
    value = data.get(name)
    if value is not None and type(value) not in kinds:
        raise BodyError(f"{name} in the data is not of its kind", advice="Does the server have a later version?")
    return value


def _text(data: Mapping[str, Any], name: str) -> str | None:
    text: str | None = _value(data, name, str)
    return text


def _whole(data: Mapping[str, Any], name: str) -> int | None:
    whole: int | None = _value(data, name, int)
    return whole


def _weight(data: Mapping[str, Any]) -> float | None:
    weight = _value(data, "weight", int, float)
    if weight is None:
        return None
    if not (math.isfinite(weight) and 0 <= weight <= FULL):
        raise BodyError("weight in the data is no percent", advice="Does the server have a later version?")
    return float(weight)
