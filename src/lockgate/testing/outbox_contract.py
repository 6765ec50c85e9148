# SPDX-License-Identifier: Apache-2.0
"""A store comes in; pytest says whether it keeps messages, endpoints and deliveries as the port promises.

It is a part of StoreContract.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.core.delivery import Delivery, State, addressed
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.outbox import Message
from lockgate.core.transition import Event
from lockgate.errors import LockgateError
from lockgate.ports.store import Store

ENDPOINT = Endpoint(
    id="end_1",
    app="web",
    kind=Kind.COMMAND,
    argv=("/bin/shift", "a b", "\N{SNOWMAN}"),
    folder="/srv",
    since=3,
    timeout_s=0.5,
    is_acknowledging=True,
)
EVERYWHERE = replace(ENDPOINT, id="end_0", app=None)


def sample_message(number: int, app: str = "web", event: Event = Event.PROMOTE) -> Message:
    """Return a message."""
    return Message(
        id=f"evt_{number}", app=app, rollout_id="rol_1", seq=number, event=event, at=number, body=b'{"data":{"seq":1}}'
    )


class OutboxContract:
    """What every store promises of what must be told."""

    def test_messages_come_in_the_order_of_their_commits(self, store: Store) -> None:
        """Whatever their ids are, and of one app where one is named."""
        told = [sample_message(2), sample_message(1, "api"), sample_message(0)]
        for message in told:
            with store.writing() as work:
                work.add_message(message)

        with store.reading() as seen:
            assert list(seen.messages()) == told
            assert seen.messages("api") == (told[1],)
            assert (seen.message("evt_1"), seen.message("evt_9")) == (told[1], None)

    def test_a_message_never_changes(self, store: Store) -> None:
        """Its id stands for its bytes."""
        with store.writing() as work:
            work.add_message(sample_message(1))

        with pytest.raises(LockgateError), store.writing() as work:
            work.add_message(replace(sample_message(1), body=b"{}"))

        with store.reading() as seen:
            assert seen.messages() == (sample_message(1),)

    def test_endpoints_are_kept_until_they_are_dropped(self, store: Store) -> None:
        """Every field comes back, by id, as it was put last."""
        with store.writing() as work:
            work.put_endpoint(ENDPOINT)
            work.put_endpoint(EVERYWHERE)
            work.put_endpoint(replace(ENDPOINT, timeout_s=9.0))
            work.drop_endpoint("end_7")
            between = work.endpoints()
            work.drop_endpoint("end_0")

        with store.reading() as seen:
            assert between == (EVERYWHERE, replace(ENDPOINT, timeout_s=9.0))
            assert seen.endpoints() == (replace(ENDPOINT, timeout_s=9.0),)
            assert (seen.endpoint("end_1"), seen.endpoint("end_0")) == (*seen.endpoints(), None)

    def test_deliveries_are_found_by_state_and_app(self, store: Store) -> None:
        """In the order of their messages, and as they were put last."""
        first, second, other = sample_message(9), sample_message(1), sample_message(5, "api")
        with store.writing() as work:
            for message in (first, second, other):
                work.add_message(message)
            for delivery in (*_deliveries(second), *_deliveries(other), *_deliveries(first)):
                work.put_delivery(delivery)
            done = replace(_deliveries(first)[0], state=State.DELIVERED, attempts=2, output="ok", error="")
            work.put_delivery(done)

        with store.reading() as seen:
            assert seen.deliveries(app="web") == (done, *_deliveries(first)[1:], *_deliveries(second))
            assert seen.deliveries(State.DUE, app="api") == _deliveries(other)
            assert seen.deliveries(State.DELIVERED, State.DEAD) == (done,)
            assert len(seen.deliveries()) == 5
            assert (seen.delivery("evt_9", "end_0"), seen.delivery("evt_9", "end_7")) == (done, None)

    def test_organisations_are_told_apart(self, store: Store) -> None:
        """The same ids in another organisation are other messages, endpoints and deliveries."""
        with store.writing("acme") as work:
            work.add_message(sample_message(1))
            work.put_endpoint(ENDPOINT)
            work.put_delivery(_deliveries(sample_message(1))[0])

        with store.reading() as seen:
            assert (seen.messages(), seen.endpoints(), seen.deliveries()) == ((), (), ())
            assert (seen.message("evt_1"), seen.endpoint("end_1"), seen.delivery("evt_1", "end_0")) == (None,) * 3


def _deliveries(message: Message) -> tuple[Delivery, ...]:
    return addressed(message, (EVERYWHERE, ENDPOINT))
