# SPDX-License-Identifier: Apache-2.0
"""The messages of a receipt come in; they are kept, each with a delivery for everybody who must hear it now."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.delivery import addressed
from lockgate.core.outbox import Message
from lockgate.crash_point import reach
from lockgate.ports.store import Transaction


def tell(work: Transaction, messages: Sequence[Message]) -> None:
    """Keep messages and their deliveries in the transaction of their receipt."""
    if not messages:
        return
    endpoints = work.endpoints()
    for message in messages:
        work.add_message(message)
        for delivery in addressed(message, endpoints):
            work.put_delivery(delivery)
    reach("message.added")
