# SPDX-License-Identifier: Apache-2.0
"""A check comes in; messages that no receipt tells go out as flaws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.soundness.telling import dishonest
from lockgate.operations.checking import PORTION, Check, portions


def check_outbox(check: Check) -> None:
    """Check that every message is of a receipt that is kept; that each receipt has its own is checked with it."""
    endpoints, until = check.seen.endpoints(), check.seen.retention().deliveries_until
    for _, message in portions(lambda after: check.seen.messages_after(after, PORTION), lambda row: row[0]):
        check.count("messages")
        check.add(_orphans(check, message))
        if message.at >= until:
            check.add(_untold(check, message, endpoints))


def _orphans(check: Check, message: Message) -> Iterator[Flaw]:
    found = check.seen.receipts_after(message.rollout_id, message.seq - 1, 1)
    if not found or found[0].seq != message.seq:
        what = f"message {message.id} tells of a receipt that is not kept"
        yield Flaw(Rule.OUTBOX, message.rollout_id, what, message.seq)


def _untold(check: Check, message: Message, endpoints: Iterable[Endpoint]) -> Iterator[Flaw]:
    for endpoint in endpoints:
        found = check.seen.delivery(message.id, endpoint.id)
        is_for = endpoint.hears(message.app, message.event) and endpoint.since < message.at
        if is_for and found is None:
            what = f"endpoint {endpoint.id} was there before message {message.id}, and has no delivery of it"
            yield Flaw(Rule.OUTBOX, message.rollout_id, what, message.seq)
        for wrong in dishonest(found) if found is not None else ():
            what = f"the delivery of message {message.id} to {endpoint.id}: {wrong}"
            yield Flaw(Rule.OUTBOX, message.rollout_id, what, message.seq)
