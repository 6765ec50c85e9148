# SPDX-License-Identifier: Apache-2.0
"""The part of a store that holds what must be told comes in by keys; messages, endpoints and deliveries go out."""

from __future__ import annotations

from typing import Protocol

from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


class OutboxReading(Protocol):
    """Messages, and who has been told them, as they were at one moment."""

    def messages(self, app: str | None = None) -> tuple[Message, ...]:
        """Return messages in the order of their commits."""

    def message(self, message_id: str) -> Message | None:
        """Return a message."""

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all endpoints by id."""

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""

    def deliveries(self, *states: State, app: str | None = None) -> tuple[Delivery, ...]:
        """Return deliveries in the order of their messages' commits; of some states, by default of all."""

    def delivery(self, message_id: str, endpoint_id: str) -> Delivery | None:
        """Return the delivery of a message to an endpoint."""


class OutboxWriting(OutboxReading, Protocol):
    """Messages, endpoints and deliveries, to be kept."""

    def add_message(self, message: Message) -> None:
        """Keep a message; it never changes again."""

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint; one that is known is kept as it is now."""

    def drop_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint; what became of its deliveries stays."""

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep the delivery of a message that is there; one that is known is kept as it is now."""
