# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout and an idempotency key come in; one turn is taken once for the key, and its reply goes out.

Reply and turn are kept in one transaction: whoever calls again after a lost answer gets that answer and no second turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.core.instant import Instant
from lockgate.core.reply import KEPT, Reply
from lockgate.crash_point import reach
from lockgate.errors import ReusedKeyError
from lockgate.operations.keeping import writing
from lockgate.operations.tick import Turn, turn_in
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

# The status and the body that a turn is answered with.
Render = Callable[[Turn], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a call the same call: its key, which names its caller, and the digest of what it asked for."""

    key: str
    call: str


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The status and body to answer with, and whether they were answered before."""

    status: int
    body: bytes
    is_replayed: bool = False


def evaluate(rollout_id: str, house: House, render: Render, once: Once | None = None) -> Evaluated:
    """Take one turn of the loop, or return what the same call came to before."""
    while True:
        with writing(house) as work:
            before = None if once is None else _before(work, once, house.clock.now())
            if before is not None:
                return before
            turn = turn_in(work, rollout_id, house)
            if turn is not None:
                return _kept(work, house, render(turn), once)


def _before(work: Transaction, once: Once, now: Instant) -> Evaluated | None:
    reply = work.reply(once.key)
    if reply is None or reply.at < now - KEPT:
        return None
    if reply.call != once.call:
        raise ReusedKeyError(
            "this Idempotency-Key was sent with another call", advice="Send a new key with each new call."
        )
    return Evaluated(reply.status, reply.body, is_replayed=True)


def _kept(work: Transaction, house: House, rendered: tuple[int, bytes], once: Once | None) -> Evaluated:
    status, body = rendered
    if once is not None:
        now = house.clock.now()
        work.forget_replies(now - KEPT)
        work.put_reply(Reply(key=once.key, call=once.call, at=now, status=status, body=body))
        reach("evaluate.reply_added")
    return Evaluated(status, body)
