# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; messages, endpoints and deliveries of an organisation go out, or in."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.refusals import held_already
from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Endpoint
from lockgate.core.outbox import Message

T = TypeVar("T")


class SqliteOutboxReading:
    """The outbox as it was when the transaction began to read."""

    _control: sqlite3.Connection
    _org: str

    def messages(self, app: str | None = None) -> tuple[Message, ...]:
        """Return messages."""
        which, keys = ("", ()) if app is None else (" AND app = ?", (app,))
        return self._told(Message, f"SELECT body FROM messages WHERE org = ?{which} ORDER BY place", *keys)  # noqa: S608 -- the condition of the line above

    def message(self, message_id: str) -> Message | None:
        """Return a message."""
        return next(iter(self._told(Message, "SELECT body FROM messages WHERE org = ? AND id = ?", message_id)), None)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return all endpoints by id."""
        return self._told(Endpoint, "SELECT body FROM endpoints WHERE org = ? ORDER BY id")

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint."""
        found = self._told(Endpoint, "SELECT body FROM endpoints WHERE org = ? AND id = ?", endpoint_id)
        return next(iter(found), None)

    def deliveries(self, *states: State, app: str | None = None) -> tuple[Delivery, ...]:
        """Return deliveries."""
        of_state = f" AND d.state IN ({', '.join('?' * len(states))})" if states else ""
        of_app = "" if app is None else " AND d.app = ?"
        sql = (
            "SELECT d.body FROM deliveries d JOIN messages m ON m.org = d.org AND m.id = d.message"  # noqa: S608 -- the conditions of the lines above
            f" WHERE d.org = ?{of_state}{of_app} ORDER BY m.place, d.endpoint"
        )
        keys = [*(state.value for state in states), *([] if app is None else [app])]
        return self._told(Delivery, sql, *keys)

    def delivery(self, message_id: str, endpoint_id: str) -> Delivery | None:
        """Return a delivery."""
        sql = "SELECT body FROM deliveries WHERE org = ? AND message = ? AND endpoint = ?"
        return next(iter(self._told(Delivery, sql, message_id, endpoint_id)), None)

    def _told(self, kind: type[T], sql: str, *keys: object) -> tuple[T, ...]:
        return tuple(unpack(kind, body) for (body,) in self._control.execute(sql, (self._org, *keys)))


class SqliteOutboxWriting(SqliteOutboxReading):
    """The outbox, to be kept."""

    def add_message(self, message: Message) -> None:
        """Keep a message."""
        row = (self._org, message.id, message.app, pack(message))
        try:
            self._control.execute("INSERT INTO messages (org, id, app, body) VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as error:
            raise held_already("messages", message.id) from error

    def put_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint."""
        row = (self._org, endpoint.id, pack(endpoint))
        self._control.execute("INSERT OR REPLACE INTO endpoints VALUES (?, ?, ?)", row)

    def drop_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint."""
        self._control.execute("DELETE FROM endpoints WHERE org = ? AND id = ?", (self._org, endpoint_id))

    def put_delivery(self, delivery: Delivery) -> None:
        """Keep a delivery."""
        key = (self._org, delivery.message_id, delivery.endpoint_id)
        self._control.execute(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET state = excluded.state, body = excluded.body",
            (*key, delivery.app, delivery.state.value, pack(delivery)),
        )
