# SPDX-License-Identifier: Apache-2.0
"""Tables of a transaction come in; messages, endpoints and deliveries go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


class MemoryOutboxReading(MemoryTablesReading):
    """The outbox in tables that nobody writes to."""

    __slots__ = ()

    def messages(self, app: str | None = None) -> tuple[Message, ...]:
        """Return messages."""
        return tuple(each for each in self._table("messages").values() if app in (None, each.app))

    def message(self, message_id: str) -> Message | None:
        """Return a message."""
        return self._table("messages").get(message_id)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all endpoints by id."""
        return tuple(endpoint for _, endpoint in sorted(self._table("endpoints").items()))

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        return self._table("endpoints").get(endpoint_id)

    def deliveries(self, *states: State, app: str | None = None) -> tuple[Delivery, ...]:
        """Return deliveries."""
        of_message: dict[str, list[Delivery]] = {}
        for each in self._table("deliveries").values():
            if app in (None, each.app) and (not states or each.state in states):
                of_message.setdefault(each.message_id, []).append(each)
        ordered = (of_message[name] for name in self._table("messages") if name in of_message)
        return tuple(each for found in ordered for each in sorted(found, key=lambda one: one.endpoint_id))

    def delivery(self, message_id: str, endpoint_id: str) -> Delivery | None:
        """Return a delivery."""
        return self._table("deliveries").get((message_id, endpoint_id))


class MemoryOutboxWriting(MemoryOutboxReading, MemoryTablesWriting):
    """The outbox in tables of a transaction's own."""

    __slots__ = ()

    def add_message(self, message: Message) -> None:
        """Keep a message."""
        self._add("messages", "", message.id, message)

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        self._writable("endpoints")[endpoint.id] = endpoint

    def drop_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        self._writable("endpoints").pop(endpoint_id, None)

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        self._writable("deliveries")[delivery.message_id, delivery.endpoint_id] = delivery
