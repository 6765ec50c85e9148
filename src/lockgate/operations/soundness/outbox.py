# SPDX-License-Identifier: Apache-2.0
"""A check comes in; messages that no receipt tells go out as flaws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockgate.core.delivery import State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.soundness.telling import dishonest
from lockgate.core.vault import Receipt
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.portions import PORTION, portions

# Messages that were left out of what an endpoint is told of an app.
LeftOut = dict[tuple[str, str], list[Message]]


def check_outbox(check: Check) -> None:
    """Check that every message is of a receipt that is kept; that each receipt has its own is checked with it."""
    endpoints, until = check.seen.endpoints(), check.seen.retention().deliveries_until
    left_out: LeftOut = {}
    for _, message in portions(lambda after: check.seen.messages_after(after, PORTION), lambda row: row[0]):
        check.count("messages")
        receipt = _receipt_of(check, message)
        if receipt is None:
            check.add([_flaw(message, f"message {message.id} tells of a receipt that is not kept")])
            continue
        # By the log and not by the clock, which may have been set back between the two.
        there = tuple(each for each in endpoints if each.log_size <= receipt.index)
        if message.at >= until:
            check.add(_untold(check, message, there))
            check.add(_dishonest(check, message, endpoints))
        # Also of what is older than is kept: deliveries are pruned in the order of commits.
        _overtake(check, message, there, left_out)
    check.add(
        _flaw(message, f"message {message.id} to {endpoint} was left out for a newer one, and none was told")
        for (endpoint, _), messages in left_out.items()
        for message in messages
    )


def _overtake(check: Check, message: Message, there: Iterable[Endpoint], left_out: LeftOut) -> None:
    """Keep of each lane what was left out, until something newer of it was told, or is urgent.

    Only of endpoints that were there: before one was set again its deliveries were left out for that.
    """
    for endpoint in there:
        found, lane = check.seen.delivery(message.id, endpoint.id), (endpoint.id, message.app)
        if found is None:
            continue
        if found.state is State.DELIVERED or found.is_urgent:
            left_out.pop(lane, None)
        if found.state is State.SUPERSEDED and len(left_out.get(lane, ())) < PORTION:
            left_out.setdefault(lane, []).append(message)


def _flaw(message: Message, what: str) -> Flaw:
    return Flaw(Rule.OUTBOX, message.rollout_id, what, message.seq)


def _receipt_of(check: Check, message: Message) -> Receipt | None:
    found = check.seen.receipts_after(message.rollout_id, message.seq - 1, 1)
    return found[0] if found and found[0].seq == message.seq else None


def _untold(check: Check, message: Message, there: Iterable[Endpoint]) -> Iterator[Flaw]:
    for endpoint in there:
        found = check.seen.delivery(message.id, endpoint.id)
        if endpoint.hears(message.app, message.event) and found is None:
            what = f"endpoint {endpoint.id} was there before message {message.id}, and has no delivery of it"
            yield _flaw(message, what)


def _dishonest(check: Check, message: Message, endpoints: Iterable[Endpoint]) -> Iterator[Flaw]:
    for endpoint in endpoints:
        found = check.seen.delivery(message.id, endpoint.id)
        for wrong in dishonest(found) if found is not None else ():
            what = f"the delivery of message {message.id} to {endpoint.id}: {wrong}"
            yield _flaw(message, what)
