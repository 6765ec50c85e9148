# SPDX-License-Identifier: Apache-2.0
"""A message and the webhook that it is for come in; it is sent there, signed, and what that came to goes out."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

from lockgate import __version__
from lockgate.adapters.outgoing.exchange import Answered, ExchangeError, Request, exchange
from lockgate.adapters.outgoing.resolving import Asking, Names, Need
from lockgate.adapters.webhooks.secret_box import SecretBox
from lockgate.core.address import Address
from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import SECOND, Instant
from lockgate.core.outbox import Message
from lockgate.core.webhook import CONTENT_TYPES, Format, Webhook, cloud_event, hub_header, signed_headers
from lockgate.core.webhook_url import ALLOW, PORTS, Reach, Target, reach_of, read_url, refused
from lockgate.errors import LockgateError, RefusedUrlError, UsageError
from lockgate.ports.house import Clock

CA_FILE = "LOCKGATE_WEBHOOK_CA"
RESOLVE_S = 5.0
# Who says these says when to come back.
THROTTLED = (429, 503)
MAX_SAID = 200


class Sender:
    """Sends to receivers that may be called, each time as its name resolves then."""

    def __init__(
        self, box: SecretBox, reach: Reach, clock: Clock, ca_file: str | None = None, names: Names | None = None
    ) -> None:
        self._box, self._reach, self._clock, self._ca_file = box, reach, clock, ca_file
        self._names = names or Names()

    def check(self, url: str, org: str) -> None:
        """Refuse a URL that nobody should call."""
        target = read_url(url)
        try:
            addresses = self._names.addresses(target.host, RESOLVE_S, Asking(org, Need.CHECK))
        except OSError as error:
            raise RefusedUrlError(
                f"{target.host} cannot be found: {_reason(error)}",
                advice="Is the name right, and known where Lockgate runs?",
            ) from error
        refusal = self._reach.refusal(target, addresses)
        if refusal is not None:
            raise refused(refusal)

    def seal(self, secret: bytes, endpoint_id: str) -> bytes:
        """Return a secret as it may be stored."""
        return self._box.seal(secret, endpoint_id)

    def opens(self, sealed: bytes, endpoint_id: str) -> bool:
        """Say whether a secret that was stored can be read here."""
        return self._box.opens(sealed, endpoint_id)

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Send a message, and wait until it is answered."""
        assert endpoint.webhook is not None
        until = time.monotonic() + endpoint.timeout_s
        try:
            target = read_url(endpoint.webhook.url)
            request = self._request(endpoint, endpoint.webhook, target, message)
            addresses = self._addresses(target, str(message.data.get("org", "")), until)
            answered = exchange(request, addresses, self._context, until)
        except LockgateError as error:
            return Carried(fault=error.message)
        except ExchangeError as error:
            return Carried(fault=f"{target.name}: {error}")
        return _carried(target, answered, self._clock.now())

    def _addresses(self, target: Target, org: str, until: float) -> Sequence[Address]:
        """Return where the host is now; every one of the addresses must be one that may be called."""
        asking, seconds = Asking(org, Need.DELIVERY), min(RESOLVE_S, until - time.monotonic())
        try:
            addresses = self._names.addresses(target.host, seconds, asking)
        except OSError as error:
            raise ExchangeError(f"its address cannot be found: {_reason(error)}") from error
        refusal = self._reach.refusal(target, addresses)
        if refusal is not None:
            raise ExchangeError(f"it was not called: {refusal}")
        return addresses

    def _request(self, endpoint: Endpoint, webhook: Webhook, target: Target, message: Message) -> Request:
        now = self._clock.now()
        secrets = [self._box.open(each, endpoint.id) for each in webhook.sealed(now)]
        body = message.body
        if webhook.format is Format.CLOUDEVENTS:
            said = json.loads(body)
            body = cloud_event(message.id, said["data"].get("org", ""), said)
        headers = {
            "Host": target.name,
            "User-Agent": f"Lockgate/{__version__}",
            "Content-Type": CONTENT_TYPES[webhook.format],
            "Content-Length": str(len(body)),
            "Connection": "close",
            **signed_headers(message.id, body, secrets, now),
            **(hub_header(body, secrets[0]) if webhook.has_hub_header else {}),
        }
        return Request(target=target, headers=tuple(headers.items()), body=body)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:
                raise UsageError(
                    f"{CA_FILE} cannot be read: {error.strerror or error}",
                    advice="Name a file of certificates in PEM.",
                ) from error
        return context


def open_sender(keys: Path, clock: Clock, *, is_dev: bool = False) -> Sender:
    """Return a sender by the keys of a folder and this machine's settings."""
    given = os.environ.get
    reach = reach_of(given(ALLOW, ""), given(PORTS, ""), is_dev=is_dev)
    return Sender(SecretBox(keys), reach, clock, given(CA_FILE) or None)


def _carried(target: Target, answered: Answered, now: Instant) -> Carried:
    output = answered.kept.decode("utf-8", "replace")
    if 200 <= answered.code <= 299:
        return Carried(output=output, code=answered.code)
    followed = ", which is not followed" if 300 <= answered.code <= 399 else ""
    retry_after_s = _wait_s(answered.retry_after, now) if answered.code in THROTTLED else None
    said = " ".join(output[:MAX_SAID].split())
    return Carried(
        fault=f"{target.name} answered {answered.code}{followed}{': ' if said else ''}{said}",
        output=output,
        code=answered.code,
        retry_after_s=retry_after_s,
    )


def _wait_s(text: str, now: Instant) -> float | None:
    """Return how long a receiver asks not to be called, in seconds or until a date; None where it says neither."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        left = (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now / SECOND
    except (ValueError, OverflowError):
        return None
    return left if left > 0 else None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
