# SPDX-License-Identifier: Apache-2.0
"""A call with its idempotency key comes in; it is done once for the key, and its reply goes out, again if need be.

Reply and effect are kept in one transaction: whoever calls again after a lost answer gets that answer and nothing more
is done. A call that failed did nothing and has no reply; it may be tried again by the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockgate.core.instant import Instant
from lockgate.core.reply import KEPT, Reply
from lockgate.errors import HeldError, ReusedKeyError, TryAgainError
from lockgate.operations.steering.intervention import TRIES
from lockgate.operations.steering.together import together
from lockgate.operations.vault.high_water import refuse_older
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a call the same call: its key, which names its caller, and the digest of what it asked for."""

    key: str
    call: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What a call came to: status, headers and body, and the body to keep for replays where it is another one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    kept: bytes | None = None
    is_replayed: bool = False


Act = Callable[[Transaction, House], Came]


def do_once(house: House, once: Once | None, act: Act) -> Came:
    """Do something in one transaction, or return what the same call came to before."""
    for _ in range(TRIES - 1):
        try:
            return _done(house, once, act)
        except HeldError:
            raise
        except TryAgainError:
            # Somebody else was first; nothing was kept.
            continue
    return _done(house, once, act)


def answered_before(house: House, once: Once) -> Came | None:
    """Return what the same call came to before, unless the store is an older copy, in which that is over."""
    refuse_older(house)
    with house.store.reading(house.org) as seen:
        return _before(seen, once, house.clock.now())


def _done(house: House, once: Once | None, act: Act) -> Came:
    with together(house) as (work, shared):
        before = None if once is None else _before(work, once, house.clock.now())
        if before is not None:
            return before
        came = act(work, shared)
        if once is not None:
            _keep(work, once, came, house.clock.now())
        return came


def _before(seen: Snapshot, once: Once, now: Instant) -> Came | None:
    reply = seen.reply(once.key)
    if reply is None or reply.at < now - KEPT:
        return None
    if reply.call != once.call:
        raise ReusedKeyError(
            "this Idempotency-Key was sent with another call", advice="Send a new key with each new call."
        )
    return Came(status=reply.status, headers=reply.headers, body=reply.body, is_replayed=True)


def _keep(work: Transaction, once: Once, came: Came, now: Instant) -> None:
    body = came.body if came.kept is None else came.kept
    work.forget_replies(now - KEPT)
    work.put_reply(Reply(key=once.key, call=once.call, at=now, status=came.status, headers=came.headers, body=body))
