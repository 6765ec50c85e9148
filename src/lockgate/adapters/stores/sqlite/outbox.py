# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; messages, endpoints and deliveries of an organisation go out, or in."""

from __future__ import annotations

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message


class SqliteOutboxReading(SqliteRowsReading):
    """The outbox as it was when the transaction began to read."""

    def messages(self, app: str | None = None) -> tuple[Message, ...]:
        """Return messages."""
        which, keys = ("", ()) if app is None else (" AND app = ?", (app,))
        return self._all(Message, f"SELECT body FROM messages WHERE org = ?{which} ORDER BY place", *keys)  # noqa: S608 -- the condition of the line above

    def message(self, message_id: str) -> Message | None:
        """Return a message."""
        return self._one(Message, "SELECT body FROM messages WHERE org = ? AND id = ?", message_id)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all endpoints by id."""
        return self._all(Endpoint, "SELECT body FROM endpoints WHERE org = ? ORDER BY id")

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        return self._one(Endpoint, "SELECT body FROM endpoints WHERE org = ? AND id = ?", endpoint_id)

    def deliveries(self, *states: State, app: str | None = None) -> tuple[Delivery, ...]:
        """Return deliveries."""
        of_state = f" AND d.state IN ({', '.join('?' * len(states))})" if states else ""
        of_app = "" if app is None else " AND d.app = ?"
        sql = (
            "SELECT d.body FROM deliveries d JOIN messages m ON m.org = d.org AND m.id = d.message"  # noqa: S608 -- the conditions of the lines above
            f" WHERE d.org = ?{of_state}{of_app} ORDER BY m.place, d.endpoint"
        )
        keys = [*(state.value for state in states), *([] if app is None else [app])]
        return self._all(Delivery, sql, *keys)

    def delivery(self, message_id: str, endpoint_id: str) -> Delivery | None:
        """Return a delivery."""
        sql = "SELECT body FROM deliveries WHERE org = ? AND message = ? AND endpoint = ?"
        return self._one(Delivery, sql, message_id, endpoint_id)


class SqliteOutboxWriting(SqliteOutboxReading, SqliteRowsWriting):
    """The outbox, to be kept."""

    def add_message(self, message: Message) -> None:
        """Keep a message."""
        sql = "INSERT INTO messages (org, id, app, body) VALUES (?, ?, ?, ?)"
        self._add("messages", message.id, sql, message.id, message.app, pack(message))

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        self._change("INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?)", endpoint.id, pack(endpoint))

    def drop_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        self._change("DELETE FROM endpoints WHERE org = ? AND id = ?", endpoint_id)

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        row = (delivery.message_id, delivery.endpoint_id, delivery.app, delivery.state.value, pack(delivery))
        sql = (
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET state = excluded.state, body = excluded.body"
        )
        self._change(sql, *row)
