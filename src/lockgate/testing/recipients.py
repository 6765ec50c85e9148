# SPDX-License-Identifier: Apache-2.0
"""Messages come in; receivers in memory that take them, or answer as they are told to, go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from lockgate.core.address import read_address
from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.webhook_url import Reach, read_url, refused

PUBLIC = (IPv4Address("8.8.8.8"),)


@dataclass(slots=True)
class Recipients:
    """What is known of receivers, in memory: every name resolves to a place of the internet, and nothing is sealed.

    `answers`: what each of the next messages comes to; a 200 where none is left. `is_keyless`: what was sealed is
    unreadable here.
    """

    answers: list[Carried] = field(default_factory=list)
    came: list[tuple[Endpoint, Message]] = field(default_factory=list)
    is_keyless: bool = False

    def check(self, url: str, org: str) -> None:  # noqa: ARG002 -- no name is looked up
        """Refuse a URL whose text alone tells that nobody should call it."""
        target = read_url(url)
        literal = read_address(target.host)
        refusal = Reach().refusal(target, PUBLIC if literal is None else (literal,))
        if refusal is not None:
            raise refused(refusal)

    def seal(self, secret: bytes, endpoint_id: str) -> bytes:  # noqa: ARG002 -- it is kept nowhere for long
        """Return a secret backwards."""
        return secret[::-1]

    def opens(self, sealed: bytes, endpoint_id: str) -> bool:  # noqa: ARG002 -- nothing is sealed
        """Say whether a secret can be read here."""
        return not self.is_keyless

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Take a message."""
        self.came.append((endpoint, message))
        return self.answers.pop(0) if self.answers else Carried(code=200, output="taken")
