# SPDX-License-Identifier: Apache-2.0
"""A webhook comes in; it is sent a message that asks for nothing, and what that came to goes out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from threading import BoundedSemaphore

from lockgate.core.canonical import canonicalize
from lockgate.core.delivery import Carried
from lockgate.core.instant import instant_text
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.core.webhook import PING
from lockgate.errors import TryAgainError
from lockgate.operations.vault.keeping import changing
from lockgate.operations.webhooks.health import see
from lockgate.operations.webhooks.webhooks import find_webhook, part_of
from lockgate.ports.house import House
from lockgate.ports.webhooks import Receivers

# Whoever tries an endpoint waits for it; so many at once leave the rest of a server to others.
_AT_ONCE = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying a webhook came to, by the message of an id, and how long it took."""

    message_id: str
    carried: Carried
    took_ms: int


def try_webhook(webhook_id: str, house: House, receivers: Receivers) -> Tried:
    """Send an `endpoint.ping`, which is kept nowhere, also to a webhook that is disabled.

    One that is taken after messages were not says that the receiver is well again, so that they are tried at once.
    """
    endpoint, now = find_webhook(webhook_id, house), house.clock.now()
    name = f"evt_{secrets.token_hex(13)}_ping"
    said = {"webhook": webhook_id, "org": house.org, "app": endpoint.app, "reason": PING}
    body = canonicalize(
        {"type": Event.PING.value, "event": Event.PING.value, "timestamp": instant_text(now), "data": said}
    )
    message = Message(id=name, app=endpoint.app or "", rollout_id="", seq=0, event=Event.PING, at=now, body=body)
    if not _AT_ONCE.acquire(blocking=False):
        raise TryAgainError("other webhooks are being tried just now", advice="Try again in a few seconds.")
    try:
        carried = receivers.carry_out(endpoint, message)
    finally:
        _AT_ONCE.release()
    if carried.fault is None and part_of(endpoint).failures:
        with changing(house) as work:
            see(work, webhook_id, carried, house.clock.now())
    return Tried(name, carried, max(0, house.clock.now() - now))
