# SPDX-License-Identifier: Apache-2.0
"""This machine comes in; the place where its commands are asked, with its own store, goes out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property

from lockgate.cli import delivery, local
from lockgate.cli.asked.desk import PASS_S
from lockgate.core.api_key import ApiKey
from lockgate.core.endpoint import Endpoint
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor, operator
from lockgate.operations.tick import LOOP, Turn
from lockgate.operations.webhooks.deliver import Told
from lockgate.ports.house import House


class LocalPlace:
    """The store in the folder that LOCKGATE_HOME names, and whoever is logged in; each house is opened once."""

    is_local = True

    def new_house(self) -> House:
        """Return the store, which is made where it is not there."""
        return self._house

    def known_house(self) -> House:
        """Return the store, which must be there."""
        local.check_store()
        return self._house

    def house_to_read(self) -> House:
        """Return the store to who only looks."""
        return self._house_to_read

    def rehearsal_house(self) -> House:
        """Return the store to who only tries; where none is there, an empty one."""
        return local.rehearsal_house()

    def actor(self, by: str | None = None, reason: str | None = None) -> Actor:
        """Return who is logged in, or who was named."""
        if reason is None:
            return local.actor()
        return operator(by or local.actor().name or "", reason)

    def ticker(self) -> Actor:
        """Return the loop."""
        return LOOP

    def turned(self, turns: Sequence[Turn], problems: int, seconds: float) -> None:
        """Count nothing."""

    def named(self, rollout_id: str, house: House) -> AbstractContextManager[None]:
        """Answer the id of no rollout with those that there are."""
        return local.named(rollout_id, house)

    def covers(self, app: str) -> bool:  # noqa: ARG002 -- whoever may read the files may see every app
        """Say that every app may be seen."""
        return True

    def check_every_app(self) -> None:
        """Refuse nobody."""

    def check_grant(self, permissions: tuple[Permission, ...], apps: tuple[str, ...] | None) -> None:
        """Refuse nobody."""

    def key_ends(self) -> None:
        """Return nothing: whoever may read the files needs no key."""

    def sees_key(self, key: ApiKey) -> bool:  # noqa: ARG002 -- as of apps
        """Say that every key may be seen."""
        return True

    def deliver(self, house: House, app: str | None = None, seconds: float = PASS_S) -> tuple[str, ...]:
        """Tell routers what is due, for a bounded time, and return what they were not told, in words."""
        return delivery.tell(house, app, seconds)

    def untold(self, house: House, app: str | None = None) -> tuple[str, ...]:
        """Return what routers have not been told, in words."""
        return delivery.untold(house, app)

    def waiting(self, house: House, app: str | None) -> Sequence[Told]:
        """Return what routers have not been told."""
        from lockgate.operations.webhooks.deliver import untold

        return untold(house, app)

    def endpoint(self, endpoint: Endpoint | None) -> Endpoint | None:
        """Return what moves an app's traffic."""
        return endpoint

    @cached_property
    def _house(self) -> House:
        return local.house()

    @cached_property
    def _house_to_read(self) -> House:
        return local.house_to_read()
