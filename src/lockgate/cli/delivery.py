# SPDX-License-Identifier: Apache-2.0
"""What a command has committed comes in; routers are told of it, and what they were not told goes out as a warning."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lockgate.cli import local
from lockgate.errors import LockgateError

if TYPE_CHECKING:
    from lockgate.operations.webhooks.deliver import Told
    from lockgate.ports.house import House

PASS_S = 5.0
GLANCE_S = 0.2
OF_APP, OF_ALL = 20, 1_000
# A receiver that does not answer keeps no router waiting.
AT_ONCE = 8


def warn(sentences: Iterable[str]) -> None:
    """Say what routers were not told; it changes no exit code."""
    for sentence in sentences:
        local.tell(sentence)


def tell(house: House, app: str | None = None, seconds: float = PASS_S) -> tuple[str, ...]:
    """Tell routers what is due, for a bounded time, and return what should be known of it.

    Call it before anything is printed: a full disk or a closed pipe must not keep a rollback from the router.
    """
    from lockgate.operations.webhooks.deliver import Bounds, deliver
    from lockgate.wiring import actuators

    most = OF_ALL if app is None else OF_APP
    bounds = Bounds(app=app, messages=most, seconds=seconds, at_once=AT_ONCE)
    until = time.monotonic() + seconds
    try:
        deliver(house, actuators(), bounds)
        while _is_kept_waiting(house, app) and time.monotonic() < until:
            time.sleep(GLANCE_S)
            deliver(house, actuators(), bounds)
    except LockgateError as error:
        return (f"warning: the router may not have been told: {error.message}; `lockgate deliver` tries again",)
    return untold(house, app)


def _is_kept_waiting(house: House, app: str | None) -> bool:
    """Say whether somebody else tells a router something just now, behind which a rollback waits."""
    from lockgate.operations.webhooks.deliver import untold as left

    return any(
        each.delivery.is_urgent and each.delivery.attempts == 0 and not each.is_disabled for each in left(house, app)
    )


def untold(house: House, app: str | None = None) -> tuple[str, ...]:
    """Return what routers have not been told, in words."""
    from lockgate.operations.webhooks.deliver import untold as left
    from lockgate.operations.webhooks.webhooks import given_up
    from lockgate.report.telling import given_up_sentence

    try:
        found, silent = left(house, app), given_up(house, app)
    except LockgateError as error:
        return (f"warning: nobody knows whether the router has been told: {error.message}",)
    return (*(f"warning: {given_up_sentence(each)}" for each in silent), *sentences_of(found, house))


def sentences_of(found: Sequence[Told], house: House, where: str = "") -> tuple[str, ...]:
    """Return in words what was not told; what takes traffic away from a candidate is written large."""
    from lockgate.report.telling import is_under_way, sentences

    now = house.clock.now()
    word = "WARNING" if any(each.delivery.is_urgent for each in found) else "warning"
    if all(is_under_way(each, now) for each in found):
        word = "note"
    return tuple(f"{word}: {sentence}" for sentence in sentences(found, now, where))
