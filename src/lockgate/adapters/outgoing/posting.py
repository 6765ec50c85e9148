# SPDX-License-Identifier: Apache-2.0
"""A body and the URL that an operator configured come in; the answer goes out, in bounded time, or why there is none.

An operator's own settings may name any address, also one of a private network; http reaches this machine alone.
"""

from __future__ import annotations

import ssl
import time

from lockgate.adapters.outgoing.exchange import Answered, ExchangeError, Request, exchange
from lockgate.adapters.outgoing.resolving import Asking, Names, Need
from lockgate.core.address import read_address
from lockgate.core.webhook_url import Target, read_url
from lockgate.errors import UnreachableError, UsageError

CONFIGURED = Asking("", Need.DELIVERY)
LOOPBACK = "localhost"


def read_configured_url(url: str) -> Target:
    """Return the target of a URL that an operator wrote, or refuse one that others could read on the way."""
    target = read_url(url)
    address = read_address(target.host)
    is_here = target.host == LOOPBACK or (address is not None and address.is_loopback)
    if not target.is_secure and not is_here:
        raise UsageError(f"http to {target.host} can be changed on the way: https is needed", advice="Write https://")
    return target


class Posting:
    """Posts bytes; `names` may remember addresses for the times when nobody tells them."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()

    def post(self, target: Target, body: bytes, kind: str, seconds: float, max_kept: int) -> Answered:
        """Return the answer to a body of a kind; its own body is read up to a number of bytes, and one more."""
        until = time.monotonic() + seconds
        headers = (
            ("Host", target.name),
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        )
        limit = max_kept + 1
        request = Request(target=target, headers=headers, body=body, max_read=limit + 16_384, max_kept=limit)
        try:
            addresses = self._names.addresses(target.host, seconds, CONFIGURED)
            answered = exchange(request, addresses, ssl.create_default_context(), until)
        except (ExchangeError, OSError) as error:
            raise UnreachableError(f"{target.name} did not answer: {error}", advice="Try again.") from error
        if len(answered.kept) > max_kept:
            raise UnreachableError(f"{target.name} answered more than {max_kept:,} bytes")
        return answered
