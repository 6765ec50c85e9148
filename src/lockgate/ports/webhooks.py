# SPDX-License-Identifier: Apache-2.0
"""A webhook's URL, secret or message comes in; what receivers outside come to goes out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


class Receivers(Protocol):
    """Knows which receivers may be called, keeps their secrets unreadable, and sends them messages.

    `carry_out` has the duties of an Actuator, and these: the bytes of a message are the same at each attempt, and are
    signed by every secret that counts at that moment. The addresses of the host are looked up at each attempt, and
    only one that may be called is connected to; where nobody tells them, those of the last hour may be. Nothing is
    followed to another URL.
    """

    def check(self, url: str, org: str) -> None:
        """Refuse a URL that nobody should call, by RefusedUrlError, or whose host cannot be found now.

        Names of one organisation that are found slowly keep neither another one's URLs nor any message waiting.
        """

    def seal(self, secret: bytes, endpoint_id: str) -> bytes:
        """Return a secret as it may be stored: only `carry_out` for the same endpoint can read it.

        NotPermittedError where the key of the store is not here; none is made in its place.
        """

    def opens(self, sealed: bytes, endpoint_id: str) -> bool:
        """Say whether a secret that was stored can be read here, so that messages can be signed by it."""

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Send a message, and wait until it is answered; only an answer of 200 to 299 is free of fault."""
