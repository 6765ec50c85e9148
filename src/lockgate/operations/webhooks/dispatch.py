# SPDX-License-Identifier: Apache-2.0
"""Lanes that something can be done in come in; each is carried out beside the others, so that none waits for another.

Routers have room of their own, and so has what takes traffic away: a webhook that does not answer keeps neither
waiting. Neither an endpoint nor an organisation ever has a room to itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from threading import Condition, Thread

from lockgate.core.endpoint import Kind
from lockgate.operations.webhooks.deliver import Lane, Ready, carry_out, ready
from lockgate.ports.actuator import Actuators
from lockgate.ports.house import House


class Room(Enum):
    """What has threads of its own."""

    ROUTER = "router"
    WEBHOOK = "webhook"
    URGENT_WEBHOOK = "urgent webhook"


THREADS = {Room.ROUTER: 16, Room.WEBHOOK: 24, Room.URGENT_WEBHOOK: 24}
# Of a room an organisation has a half at most, and a quarter is for those that have nothing under way in it.
OF_ORG = {room: threads // 2 for room, threads in THREADS.items()}
SPARE = {room: threads // 4 for room, threads in THREADS.items()}
# Lanes of one webhook that are carried out at once: each is of another app.
OF_ENDPOINT = 4
# Messages of one lane that are sent before it is looked whether something else is more urgent.
OF_LANE = 20
# Of an organisation, a lane, and what of it.
Key = tuple[str, Lane, bool]


class Dispatch:
    """Carries out what is due in threads; `wake` is called when one is free again, `fail` hears what went wrong."""

    def __init__(self, actuators: Actuators, wake: Callable[[], None], fail: Callable[[Exception], None]) -> None:
        self._actuators, self._wake, self._fail = actuators, wake, fail
        self._changed = Condition()
        self._under_way: dict[Key, Room] = {}

    def turn(self, house: House) -> None:
        """Begin everything that is due and has room; nothing is waited for."""
        for each in ready(house):
            # What is urgent is carried out beside what is under way in its lane, where it may be.
            key, room = (house.org, each.lane, each.is_urgent), _room_of(each)
            with self._changed:
                if key in self._under_way or not self._has_place(key, room):
                    continue
                self._under_way[key] = room
            # Who ends the process does not wait for an endpoint that has minutes to answer: its lease ends.
            Thread(target=self._carry, args=(house, key), name="deliver", daemon=True).start()

    def settle(self, seconds: float) -> None:
        """Wait until nothing is under way, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, seconds)

    def _has_place(self, key: Key, room: Room) -> bool:
        org, (endpoint_id, _), _ = key
        taken = [(other, found) for (other, (found, _), _), where in self._under_way.items() if where is room]
        of_org = sum(other == org for other, _ in taken)
        left = THREADS[room] - len(taken) - (SPARE[room] if of_org else 0)
        return left > 0 and of_org < OF_ORG[room] and taken.count((org, endpoint_id)) < OF_ENDPOINT

    def _carry(self, house: House, key: Key) -> None:
        try:
            for _ in range(OF_LANE):
                if carry_out(house, self._actuators, key[1]) is None:
                    break
        except Exception as error:  # noqa: BLE001 -- whoever owns the threads says what became of one
            self._leave(key)
            # What failed here at once is not tried again at once.
            self._fail(error)
        else:
            self._leave(key)
            self._wake()

    def _leave(self, key: Key) -> None:
        with self._changed:
            self._under_way.pop(key, None)
            self._changed.notify_all()


def _room_of(each: Ready) -> Room:
    if each.kind is not Kind.WEBHOOK:
        return Room.ROUTER
    return Room.URGENT_WEBHOOK if each.is_urgent else Room.WEBHOOK
