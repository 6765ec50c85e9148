# SPDX-License-Identifier: Apache-2.0
"""Messages that are sent come in; what a careful receiver applied, and what was wrong with them, goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from lockgate.core.delivery import Carried, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message
from lockgate.ports.store import Snapshot
from lockgate.testing.faults import CrashError


@dataclass(slots=True)
class Receiver:
    """An actuator that knows each message by its id, and applies nothing older than what it has applied.

    It may be slow, so that others act before and after a message reaches it, refuse, lose its answer, or outlive
    whoever sent the message.
    """

    draw: np.random.Generator
    interrupt: Callable[[], None]
    is_calm: bool = False
    bodies: dict[str, bytes] = field(default_factory=dict)
    last: dict[str, Message] = field(default_factory=dict)
    repeated: int = 0
    late: int = 0
    faults: list[str] = field(default_factory=list)

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Take a message, as luck has it."""
        weight = message.data["weight"]
        assert isinstance(weight, int | float)
        luck = 1.0 if self.is_calm else float(self.draw.random())
        self._be_slow()
        if luck < 0.08:
            return Carried(fault="the receiver is not there")
        self._take(message)
        self._be_slow()
        if luck < 0.14:
            return Carried(fault="the answer was lost")
        if luck < 0.18:
            raise CrashError("after it has sent a message")
        return Carried(observed=float(weight) if endpoint.is_acknowledging else None)

    def _be_slow(self) -> None:
        if not self.is_calm and self.draw.random() < 0.15:
            self.interrupt()

    def _take(self, message: Message) -> None:
        known = self.bodies.setdefault(message.id, message.body)
        index = message.data["log_index"]
        assert isinstance(index, int)
        if known != message.body:
            self.faults.append(f"I8: {message.id} came twice with different bytes")
        before = self.last.get(message.app)
        newest = before.data["log_index"] if before is not None else -1
        assert isinstance(newest, int)
        self.repeated += message is not before and index == newest
        self.late += index < newest
        if index > newest:
            self.last[message.app] = message

    def missed(self, seen: Snapshot) -> Iterator[str]:
        """Yield what was never told, and where the last word is not the newest (I8), once all is calm."""
        for delivery in seen.deliveries(State.DUE, State.DEAD):
            yield f"I8: {delivery.message_id} is still {delivery.state.value}"
        for delivery in seen.deliveries(State.DELIVERED):
            if delivery.message_id not in self.bodies:
                yield f"I8: {delivery.message_id} counts as delivered and never came"
        for name, newest in {delivery.app: delivery.message_id for delivery in seen.deliveries()}.items():
            last = self.last.get(name)
            if last is None or last.id != newest:
                yield f"I8: the receiver's last word on {name} is {last and last.id}, the newest is {newest}"
