# SPDX-License-Identifier: Apache-2.0
"""A receiver of signed messages, and a message, come in; the headers and the body that are sent go out.

Signatures are those of Standard Webhooks 1.0: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.instant import HOUR, SECOND, Instant
from lockgate.core.transition import Event
from lockgate.errors import UsageError

SECRET_PREFIX, SECRET_BYTES = "whsec_", 32
HUB_HEADER = "X-Lockgate-Signature"
MAX_WEBHOOKS = 100
DEFAULT_GRACE_S, MAX_GRACE_S = 24 * 3_600, 7 * 24 * 3_600
# How long nothing may succeed before an endpoint is disabled.
GIVEN_UP_AFTER = 5 * 24 * HOUR
# Two attempts that are days apart tell little of the days between.
LEAST_FAILURES = 5
BY_HAND = "disabled by hand"
SPEC_VERSION = "1.0"

# What a webhook may hear, each with when it is told; the reference is made of this table.
EVENTS = {
    Event.CREATED: "A rollout began, and its candidate gets its first weight.",
    Event.PROMOTE: "The candidate gets the weight of the next step.",
    Event.REDUCE: "The candidate gets the weight of the step before.",
    Event.ROLLBACK: "The candidate gets no traffic any more; `weight` is 0 and `terminal` true.",
    Event.PAUSE: "Nothing is promoted until somebody resumes; the weight stays.",
    Event.RESUME: "A paused rollout goes on.",
    Event.APPROVAL_NEEDED: "A step waits for a person's approval; told once for each time that a step is entered.",
    Event.OVERDUE: "A step holds beyond its max_hold, or its weight was not read back within max_stale; told once.",
    Event.UNTOLD: "Nothing is promoted, because no router was told the weight; told once for each time of a step.",
    Event.COMPLETED: "The rollout has ended, in whichever way `status` says; again if a promoted one is rolled back.",
    Event.FREEZE: "Nothing of an app may start or be promoted.",
    Event.UNFREEZE: "An app's freeze has ended.",
}
PING = "Sent on request only, to try an endpoint; it is of no app and asks for nothing."


class Format(StrEnum):
    """How a body is written."""

    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"


CONTENT_TYPES = {Format.STANDARD: "application/json", Format.CLOUDEVENTS: "application/cloudevents+json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where signed messages are sent, and what of.

    `secret`: the secret as it is kept, encrypted; `old_secret` signs beside it until `old_until`.
    `disabled`: why nothing is sent; empty while something is. `failing_since`: since when nothing succeeded, and how
    many attempts failed since; 0 where the last attempt did. `well_since`: when an attempt succeeded after others had
    failed, or it was enabled; what was tried before that is tried once more.
    """

    url: str
    secret: bytes
    events: tuple[Event, ...] = tuple(EVENTS)
    format: Format = Format.STANDARD
    has_hub_header: bool = False
    old_secret: bytes = b""
    old_until: Instant = 0
    disabled: str = ""
    failing_since: Instant = 0
    failures: int = 0
    well_since: Instant = 0

    def __repr__(self) -> str:
        return f"Webhook(url={self.url!r})"

    def hears(self, event: Event) -> bool:
        """Say whether an event is sent."""
        return not self.disabled and event in self.events

    def is_rotating(self, now: Instant) -> bool:
        """Say whether an older secret signs as well."""
        return bool(self.old_secret) and now < self.old_until

    def sealed(self, now: Instant) -> tuple[bytes, ...]:
        """Return the secrets that sign now, as they are kept, the newest first."""
        return (self.secret, self.old_secret) if self.is_rotating(now) else (self.secret,)

    def tried(self, now: Instant, *, is_failed: bool) -> Webhook:
        """Return the webhook after one more attempt."""
        if not is_failed:
            return replace(self, failing_since=0, failures=0, well_since=now) if self.failures else self
        return replace(self, failing_since=self.failing_since or now, failures=self.failures + 1)

    def switched(self, now: Instant, *, is_enabled: bool) -> Webhook:
        """Return the webhook enabled, with nothing held against it, or disabled by hand."""
        if not is_enabled:
            return replace(self, disabled=BY_HAND)
        return replace(self, disabled="", failing_since=0, failures=0, well_since=now)

    def is_silent(self, now: Instant) -> bool:
        """Say whether every attempt failed for so long, and so often, that it is given up."""
        is_long = self.failing_since > 0 and now - self.failing_since >= GIVEN_UP_AFTER
        return is_long and self.failures >= LEAST_FAILURES

    def document(self) -> dict[str, Json]:
        """Return the JSON form of what was declared; a secret is told by its digest, which is that of ciphertext."""
        return {
            "url": self.url,
            "events": [each.value for each in self.events],
            "format": self.format.value,
            "hub_header": self.has_hub_header,
            "disabled": self.disabled,
            "secret": hashlib.sha256(self.secret).hexdigest(),
        }


def check_events(names: Sequence[str] | None) -> tuple[Event, ...]:
    """Return the events that names mean, in the order of the table; None means all."""
    if names is None:
        return tuple(EVENTS)
    known = {each.value for each in EVENTS}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no event {name[:60]!r}", advice=f"Known: {', '.join(sorted(known))}.")
    if not names:
        raise UsageError("a webhook that hears nothing is of no use", advice="Name events, or leave them out for all.")
    return tuple(each for each in EVENTS if each.value in names)


def check_grace(seconds: float) -> int:
    """Return for how long an older secret goes on to sign, or refuse it."""
    if not 0 <= seconds <= MAX_GRACE_S:
        raise UsageError(f"a grace of {seconds:g} s is not between 0 and 7 days", advice="0 ends the older secret.")
    return int(seconds)


def secret_text(secret: bytes) -> str:
    """Return a secret as its receiver keeps it."""
    return SECRET_PREFIX + b64encode(secret).decode()


def signed_headers(message_id: str, body: bytes, secrets: Sequence[bytes], now: Instant) -> dict[str, str]:
    """Return the headers that sign an attempt of this moment, by every secret that counts."""
    stamp = str(now // SECOND)
    content = b".".join((message_id.encode(), stamp.encode(), body))
    signatures = (b64encode(hmac.digest(each, content, "sha256")).decode() for each in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def hub_header(body: bytes, secret: bytes) -> dict[str, str]:
    """Return the header of those who sign the body alone; its key is the secret's text, as receivers keep it."""
    return {HUB_HEADER: f"sha256={hmac.digest(secret_text(secret).encode(), body, 'sha256').hex()}"}


def cloud_event(message_id: str, org: str, said: dict[str, Json]) -> bytes:
    """Return what a body says as a CloudEvents 1.0 document in structured mode; always the same bytes."""
    data = said["data"]
    assert isinstance(data, dict)
    extensions: dict[str, Json] = {} if said.get("receipt") is None else {"receipt": said["receipt"]}
    return canonicalize(
        {
            "specversion": SPEC_VERSION,
            "id": message_id,
            "source": f"urn:lockgate:{org}",
            "type": said["type"],
            "subject": data.get("rollout_id") or data.get("app") or message_id,
            "time": said["timestamp"],
            "datacontenttype": "application/json",
            **extensions,
            "data": data,
        }
    )
