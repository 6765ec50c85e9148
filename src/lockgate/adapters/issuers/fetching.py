# SPDX-License-Identifier: Apache-2.0
"""The address of a public document comes in; its bytes go out, fetched by https and within bounds.

The name is resolved here, and what is called is the very address that was judged.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence

from lockgate.adapters.outgoing.exchange import MAX_READ, Answered, ExchangeError, Request, exchange
from lockgate.adapters.outgoing.resolving import Asking, Names, Need
from lockgate.core.address import Address, Network, is_public, is_within
from lockgate.core.id_token import ClosedIssuerError
from lockgate.core.webhook_url import Target, read_url
from lockgate.errors import RefusedUrlError, UnreachableError

SECONDS = 8.0
MAX_BYTES = 256 * 1024
# Keys are of an issuer, and of no organisation.
ANYBODY = Asking("", Need.ISSUER)
ADVICE = "Private issuers are named in LOCKGATE_OIDC_ALLOW, as networks such as 10.1.0.0/16, where Lockgate runs."


class Fetch:
    """Fetches documents from the internet, and from networks that are allowed."""

    def __init__(
        self,
        allowed: tuple[Network, ...] = (),
        context: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
        names: Names | None = None,
    ) -> None:
        self._allowed, self._context, self._seconds = allowed, context, seconds
        self._names = names or Names()

    def __call__(self, url: str) -> bytes:
        """Return the document at an address; UnreachableError where there is none to be had."""
        until = time.monotonic() + self._seconds
        try:
            target = read_url(url)
        except RefusedUrlError as error:
            raise UnreachableError(f"{url[:200]} cannot be fetched: {error.message}", advice=ADVICE) from error
        if not target.is_secure:
            raise _failed(target, "it is not https")
        try:
            addresses = self._addresses(target)
            context = self._context or ssl.create_default_context()
            return _body(target, exchange(_request(target), addresses, context, until))
        except (ExchangeError, OSError) as error:
            raise UnreachableError(f"{url[:200]} did not answer: {error}", advice="Try again.") from error

    def check(self, url: str) -> None:
        """Refuse an address whose host is where nothing may be fetched, or that nobody knows; nothing is called."""
        target = read_url(url)
        try:
            self._addresses(target)
        except OSError as error:
            raise UnreachableError(f"{target.name} is not known here: {error}", advice="Try again.") from error

    def _addresses(self, target: Target) -> Sequence[Address]:
        """Return where a host is; every one of its addresses must be one that may be called."""
        found = self._names.addresses(target.host, self._seconds, ANYBODY)
        for address in found:
            if not (is_within(address, self._allowed) or is_public(address)):
                raise ClosedIssuerError(
                    f"{target.name} gave no keys: {address} is no address of the internet", advice=ADVICE
                )
        if not found:
            raise _failed(target, "it has no address")
        return found


def _request(target: Target) -> Request:
    headers = {
        "Host": target.name,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    return Request(
        method="GET",
        target=target,
        headers=tuple(headers.items()),
        max_read=MAX_READ + MAX_BYTES,
        max_kept=MAX_BYTES + 1,
    )


def _body(target: Target, answered: Answered) -> bytes:
    if answered.code != 200:
        raise _failed(target, f"it answered {answered.code}")
    if len(answered.kept) > MAX_BYTES or not answered.is_whole:
        raise _failed(target, f"its document is larger than {MAX_BYTES:,} bytes")
    return answered.kept


def _failed(target: Target, reason: str) -> UnreachableError:
    return UnreachableError(f"{target.name} gave no keys: {reason}", advice=ADVICE)
