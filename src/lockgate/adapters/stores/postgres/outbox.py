# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; messages, endpoints and deliveries of an organisation go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.delivery import OPEN, Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


class PostgresOutboxReading(PostgresRowsReading):
    """The outbox as it is seen by the transaction."""

    def messages(self, app: str | None = None) -> tuple[Message, ...]:
        """Return messages."""
        if app is None:
            return self._all(Message, "SELECT body FROM messages WHERE org = %s ORDER BY place")
        return self._all(Message, "SELECT body FROM messages WHERE org = %s AND app = %s ORDER BY place", app)

    def message(self, message_id: str) -> Message | None:
        """Return a message."""
        return self._one(Message, "SELECT body FROM messages WHERE org = %s AND id = %s", message_id)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all endpoints by id."""
        return self._all(Endpoint, "SELECT body FROM endpoints WHERE org = %s ORDER BY id")

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        return self._one(Endpoint, "SELECT body FROM endpoints WHERE org = %s AND id = %s", endpoint_id)

    def deliveries(self, *states: State, app: str | None = None) -> tuple[Delivery, ...]:
        """Return deliveries."""
        sql = (
            "SELECT d.body FROM deliveries d JOIN messages m ON m.org = d.org AND m.id = d.message"
            " WHERE d.org = %s AND d.state = ANY(%s::text[]) AND (%s::text IS NULL OR d.app = %s)"
            " ORDER BY m.place, d.endpoint"
        )
        return self._all(Delivery, sql, [state.value for state in states or State], app, app)

    def delivery(self, message_id: str, endpoint_id: str) -> Delivery | None:
        """Return a delivery."""
        sql = "SELECT body FROM deliveries WHERE org = %s AND message = %s AND endpoint = %s"
        return self._one(Delivery, sql, message_id, endpoint_id)


class PostgresOutboxWriting(PostgresOutboxReading, PostgresRowsWriting):
    """The outbox, to be kept."""

    def add_message(self, message: Message) -> None:
        """Keep a message."""
        self._has_news = True
        sql = "INSERT INTO messages (org, id, app, body) VALUES (%s, %s, %s, %s)"
        self._later(sql, message.id, message.app, pack(message))

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        self._has_news = True
        sql = "INSERT INTO endpoints VALUES (%s, %s, %s) ON CONFLICT (org, id) DO UPDATE SET body = excluded.body"
        self._later(sql, endpoint.id, pack(endpoint))

    def drop_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        self._has_news = True
        self._later("DELETE FROM endpoints WHERE org = %s AND id = %s", endpoint_id)

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        self._has_news = self._has_news or delivery.state in OPEN
        row = (delivery.message_id, delivery.endpoint_id, delivery.app, delivery.state.value, pack(delivery))
        sql = (
            "INSERT INTO deliveries VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (org, message, endpoint) DO UPDATE SET state = excluded.state, body = excluded.body"
        )
        self._later(sql, *row)
