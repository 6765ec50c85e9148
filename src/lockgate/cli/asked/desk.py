# SPDX-License-Identifier: Apache-2.0
"""A place where commands are asked comes in; a desk that collects what one command says there goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from lockgate.cli.said import Said
from lockgate.core.api_key import ApiKey
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import Instant
from lockgate.core.permission import Permission
from lockgate.core.receipt import Actor
from lockgate.operations.tick import Turn
from lockgate.operations.webhooks.deliver import Told
from lockgate.ports.house import House
from lockgate.report.screen import Screen

PASS_S = 5.0


class Place(Protocol):
    """Whose store it is, and who asks: somebody at this machine, or a caller of its server."""

    is_local: bool

    def new_house(self) -> House:
        """Return the store, which is made where it is not there."""
        ...

    def known_house(self) -> House:
        """Return the store, which must be there."""
        ...

    def house_to_read(self) -> House:
        """Return the store to who only looks."""
        ...

    def rehearsal_house(self) -> House:
        """Return the store to who only tries; where none is there, an empty one."""
        ...

    def actor(self, by: str | None = None, reason: str | None = None) -> Actor:
        """Return who asks, and why."""
        ...

    def ticker(self) -> Actor:
        """Return who a receipt says that took a turn."""
        ...

    def turned(self, turns: Sequence[Turn], problems: int, seconds: float) -> None:
        """Count turns of the loop, those that could not be taken, and how long they took, where somebody counts."""

    def named(self, rollout_id: str, house: House) -> AbstractContextManager[None]:
        """Answer the id of no rollout with advice."""
        ...

    def covers(self, app: str) -> bool:
        """Say whether whoever asks may see an app."""
        ...

    def check_every_app(self) -> None:
        """Refuse who may not see every app."""
        ...

    def check_grant(self, permissions: tuple[Permission, ...], apps: tuple[str, ...] | None) -> None:
        """Refuse a key that reaches further than that of whoever asks."""
        ...

    def key_ends(self) -> Instant | None:
        """Return when the key of whoever asks ends; None where none is needed."""
        ...

    def sees_key(self, key: ApiKey) -> bool:
        """Say whether whoever asks may see a key."""
        ...

    def deliver(self, house: House, app: str | None = None, seconds: float = PASS_S) -> tuple[str, ...]:
        """Let routers be told what is due, for a bounded time, and return what they were not told, in words."""
        ...

    def untold(self, house: House, app: str | None = None) -> tuple[str, ...]:
        """Return what routers have not been told, in words."""
        ...

    def waiting(self, house: House, app: str | None) -> Sequence[Told]:
        """Return what routers have not been told, as whoever asks may see it."""
        ...

    def endpoint(self, endpoint: Endpoint | None) -> Endpoint | None:
        """Return what moves an app's traffic, as whoever asks may see it."""
        ...


@dataclass(kw_only=True)
class Desk:
    """One command: where it is asked, what its screen shows, and what it has said so far."""

    place: Place
    screen: Screen
    out: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    is_data: bool = False

    def say(self, text: str) -> None:
        """Say something to a person."""
        self.out.append(text)

    def emit(self, text: str) -> None:
        """Say something to a program."""
        self.is_data = True
        self.out.append(text)

    def emit_json(self, document: object, *, indent: int | None = 2) -> None:
        """Say a JSON document to a program; only ASCII leaves, so that no terminal obeys a name."""
        self.emit(json.dumps(document, indent=indent, allow_nan=False) + "\n")

    def tell(self, *sentences: str) -> None:
        """Say beside the answer what is no fault but should be known."""
        self.told += sentences

    def said(self, code: int = 0, *, question: str = "", more: Mapping[str, object] | None = None) -> Said:
        """Return all that was said."""
        return Said(
            code=code,
            out="".join(self.out),
            is_data=self.is_data,
            told=tuple(self.told),
            files=self.files,
            question=question,
            more=more or {},
        )
