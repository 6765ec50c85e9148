# SPDX-License-Identifier: Apache-2.0
"""Rows of the table come in; the room in which each is carried out goes out, with places and threads of its own.

What is waited for in one room keeps nobody out of another, so that what ends a bad release waits for no comparison and
no batch. Within a room no key and no organisation takes all places, and whoever has fewest,
or had one longest ago, goes next.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, ParamSpec, TypeVar

from lockgate.core.permission import Permission
from lockgate.server.caller import Caller
from lockgate.server.problem import TOO_MANY, ProblemError
from lockgate.server.table import MAX_BODY, Endpoint

# What brings the end of a bad release nearer: what says so, and the turns that may find it.
STOPS = ("/rollback", "/kill", "/pause", "/freeze", "/screens/end")
TURNS = ("/evaluate", "/screens/tick", "/screens/turn")
PROBES = ("/healthz", "/readyz")
IMPORTS, COMPARISONS, BUNDLES = "/imports/runs", "/compare", "/bundle"
# Of the rooms below, those that nothing may keep waiting.
URGENT = ("stops", "turns")
READS = (Permission.READ, Permission.READ_RECEIPTS, Permission.READ_METRICS)
RETRY = {"retry-after": "1"}

Given = ParamSpec("Given")
Came = TypeVar("Came")


class Who(NamedTuple):
    """Whose call it is; strangers share one name, because they could have as many as they like."""

    key: str
    org: str


STRANGER = Who("", "")


def who_calls(caller: Caller) -> Who:
    """Return whose call a caller's is."""
    return Who(f"{caller.org} {caller.name}", caller.org)


class Size(NamedTuple):
    """How large a room is: calls that are carried out at once, and calls of one key that wait or are, at most."""

    places: int
    in_hand: int


# Places that hold a connection of PostgreSQL for long are fewer than a process has, so that some are left for stops.
SIZES = {
    "stops": Size(4, 64),
    "turns": Size(4, 64),
    "changes": Size(4, 128),
    "webhooks": Size(4, 16),
    "reads": Size(6, 128),
    "comparisons": Size(2, 16),
    "bundles": Size(2, 8),
    "batches": Size(16, 128),
    "imports": Size(2, 32),
    # Nobody knows who they are: they wait for each other, and connections of theirs make room for callers.
    "strangers": Size(4, 10_000),
    "probes": Size(2, 10_000),
}


def room_name(row: Endpoint) -> str:
    """Return the name of the room in which the calls of a row are carried out."""
    if row.permission is None:
        return "probes" if row.path in PROBES else "strangers"
    # Receivers of webhooks are asked meanwhile.
    waits = row.permission is Permission.MANAGE_WEBHOOKS and (row.ahead is not None or not row.is_once)
    kinds = (
        ("stops", row.path.endswith(STOPS)),
        ("turns", row.path.endswith(TURNS)),
        ("imports", row.path.endswith(IMPORTS)),
        ("batches", row.max_body > MAX_BODY),
        ("comparisons", row.path.endswith(COMPARISONS)),
        ("bundles", row.path.endswith(BUNDLES)),
        ("webhooks", waits),
        ("reads", row.method == "GET" or row.permission in READS),
    )
    return next((name for name, is_so in kinds if is_so), "changes")


class Rooms:
    """The rooms of one server, and its doors, at which keys are looked up: one of them is for stops and turns alone."""

    def __init__(self) -> None:
        self._rooms = {name: Room(name, size) for name, size in SIZES.items()}
        self._doors = {is_urgent: Room("door", Size(4, 0)) for is_urgent in (True, False)}

    def room_of(self, row: Endpoint) -> Room:
        """Return the room of a row."""
        return self._rooms[room_name(row)]

    def door_of(self, row: Endpoint) -> Room:
        """Return where the key of a row's call is looked up."""
        return self._doors[room_name(row) in URGENT]


@dataclass(slots=True, eq=False)
class _Waiting:
    who: Who
    place: asyncio.Future[None]


class Room:
    """Places for calls of one kind; all but `run` is called by the loop of events alone."""

    def __init__(self, name: str, size: Size) -> None:
        self._size = size
        self._threads = ThreadPoolExecutor(size.places, thread_name_prefix=f"lockgate-{name}")
        # Of all places one key may take three quarters, and one organisation all but one.
        self._of_key, self._of_org = max(1, size.places * 3 // 4), max(1, size.places - 1)
        self._in_hand: Counter[str] = Counter()
        self._keys: Counter[str] = Counter()
        self._orgs: Counter[str] = Counter()
        self._waiting: deque[_Waiting] = deque()
        # In which turn a key, or an organisation, had its latest place.
        self._latest: dict[str, int] = {}
        self._turn = 0

    @property
    def taken(self) -> int:
        """Return how many places are taken."""
        return self._orgs.total()

    @contextmanager
    def entered(self, who: Who) -> Iterator[None]:
        """Count a call until the block ends; refuse it where its key has too many in hand already."""
        if self._in_hand[who.key] >= self._size.in_hand:
            raise ProblemError(
                TOO_MANY, "too many calls of the key are in hand already", "Wait for their answers first.", RETRY
            )
        self._in_hand[who.key] += 1
        try:
            yield
        finally:
            _less(self._in_hand, who.key)

    @asynccontextmanager
    async def place(self, who: Who) -> AsyncIterator[None]:
        """Wait for a place, and have it until the block ends."""
        mine = _Waiting(who, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        self._call_next()
        try:
            await mine.place
            yield
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)
            else:
                _less(self._keys, who.key)
                _less(self._orgs, who.org)
                self._call_next()
                if not self._orgs:
                    self._latest.clear()

    async def run(self, act: Callable[Given, Came], *given: Given.args, **named: Given.kwargs) -> Came:
        """Carry something out in a thread of this room."""
        carried = partial(copy_context().run, partial(act, *given, **named))
        return await asyncio.get_running_loop().run_in_executor(self._threads, carried)

    def _call_next(self) -> None:
        """Give places to whoever may have one, as long as there are some."""
        while self.taken < self._size.places:
            ready = [each for each in self._waiting if self._may_have(each.who)]
            if not ready:
                return
            first = min(ready, key=lambda each: self._stands(each.who))
            self._waiting.remove(first)
            self._turn += 1
            self._latest.update(dict.fromkeys(first.who, self._turn))
            self._keys[first.who.key] += 1
            self._orgs[first.who.org] += 1
            # Who gave up meanwhile leaves the place at once.
            if not first.place.done():
                first.place.set_result(None)

    def _stands(self, who: Who) -> tuple[int, ...]:
        """Return how many places somebody has and when they had the latest; the least goes next."""
        org, key = self._latest.get(who.org, 0), self._latest.get(who.key, 0)
        return self._orgs[who.org], org, self._keys[who.key], key

    def _may_have(self, who: Who) -> bool:
        if who == STRANGER:
            return True
        return self._keys[who.key] < self._of_key and self._orgs[who.org] < self._of_org


def _less(counted: Counter[str], name: str) -> None:
    """Count one less, and forget who has none."""
    counted[name] -= 1
    if not counted[name]:
        del counted[name]
