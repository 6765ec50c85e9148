# SPDX-License-Identifier: Apache-2.0
"""A call of a server comes in; the place where its commands are asked, for what the caller may see, goes out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from lockgate.cli import delivery
from lockgate.cli.asked.desk import PASS_S, Desk
from lockgate.cli.asked.table import answer
from lockgate.core.api_key import ApiKey
from lockgate.core.canonical import Json
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import Instant
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor
from lockgate.operations.tick import Turn
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.webhooks.deliver import Told, untold
from lockgate.operations.webhooks.webhooks import given_up
from lockgate.ports.house import House
from lockgate.report.screen import Screen
from lockgate.report.telling import THERE, given_up_sentence, is_under_way
from lockgate.server.call import Call
from lockgate.server.grant import check_grant, is_seen

# Whoever delivers looks at once; a command waits so long for what came of it, and then says that nothing has yet.
WAIT_S, GLANCE_S = 2.0, 0.05
# What is under way by then is waited for so long altogether.
UNDER_WAY_S = 1.0
FAILED = "the last try failed"


def answer_call(name: str, words: Mapping[str, object], screen: Screen, call: Call) -> dict[str, Json]:
    """Return the document of what a command says to the caller of a server."""
    return answer(name, words, Desk(place=CallerPlace(call), screen=screen)).document()


class CallerPlace:
    """The store of the caller's organisation; what the server's machine runs is not shown."""

    is_local = False

    def __init__(self, call: Call) -> None:
        self._call = call

    def new_house(self) -> House:
        """Return the store."""
        return self._call.house

    known_house = house_to_read = rehearsal_house = new_house

    def actor(self, by: str | None = None, reason: str | None = None) -> Actor:  # noqa: ARG002 -- a receipt names the key
        """Return whose key it is."""
        caller = self._call.caller
        return caller.actor() if reason is None else checked_actor(caller.actor(reason))

    def ticker(self) -> Actor:
        """Return the loop, and the job that asked for a turn if one did."""
        return self._call.caller.ticker()

    def turned(self, turns: Sequence[Turn], problems: int, seconds: float) -> None:
        """Count turns in the server's metrics."""
        self._call.meter.turned(turns, problems, seconds)

    @contextmanager
    def named(self, rollout_id: str, house: House) -> Iterator[None]:  # noqa: ARG002 -- the server has looked already
        """Leave as it is what goes wrong."""
        yield

    def covers(self, app: str) -> bool:
        """Say whether the key is for an app."""
        return self._call.caller.covers(app)

    def check_every_app(self) -> None:
        """Refuse a key that is for some apps only."""
        self._call.caller.check_every_app()

    def check_grant(self, permissions: tuple[Permission, ...], apps: tuple[str, ...] | None) -> None:
        """Refuse what reaches further than the caller's own key."""
        check_grant(self._call.caller, permissions, apps)

    def key_ends(self) -> Instant | None:
        """Return when the caller's key ends, and with it what is made by it."""
        return self._call.caller.expires_at

    def sees_key(self, key: ApiKey) -> bool:
        """Say whether a key is for nothing but apps that the caller's is for."""
        return is_seen(self._call.caller, key)

    def deliver(self, house: House, app: str | None = None, seconds: float = PASS_S) -> tuple[str, ...]:
        """Wake whoever delivers, wait a little for what comes of it, and return what was not told, in words."""
        self._call.wake()
        begun, most = time.monotonic(), min(seconds, WAIT_S)
        while (spent := time.monotonic() - begun) < most:
            left, now = untold(house, app), house.clock.now()
            is_begun = spent < UNDER_WAY_S and any(is_under_way(each, now) for each in left)
            if not is_begun and not any(map(_is_fresh, left)):
                break
            time.sleep(GLANCE_S)
        return self.untold(house, app)

    def untold(self, house: House, app: str | None = None) -> tuple[str, ...]:
        """Return what routers have not been told, in words."""
        silent = [each for each in given_up(house, app) if each.app is None or self.covers(each.app)]
        lost = (f"warning: {given_up_sentence(each)}" for each in silent)
        return (*lost, *delivery.sentences_of(self.waiting(house, app), house, THERE))

    def waiting(self, house: House, app: str | None) -> Sequence[Told]:
        """Return what routers have not been told, without what programs said."""
        return [_shown(each) for each in untold(house, app) if self.covers(each.message.app)]

    def endpoint(self, endpoint: Endpoint | None) -> Endpoint | None:
        """Return what moves an app's traffic by its id alone."""
        return None if endpoint is None else replace(endpoint, argv=(endpoint.id,), folder="")


def _is_fresh(told: Told) -> bool:
    return told.delivery.attempts == 0 and not told.is_disabled


def _shown(told: Told) -> Told:
    delivery = told.delivery
    return replace(told, delivery=replace(delivery, error=FAILED if delivery.error else "", output="", tries=()))
