# SPDX-License-Identifier: Apache-2.0
"""Journals of receivers come in, most of them wrong in one thing; the oracle of the faults must see each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from lockgate.core.delivery import Delivery, State
from lockgate.core.endpoint import Kind
from lockgate.operations.create import Order, create
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import Bounds, deliver
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook
from lockgate.ports.house import House
from lockgate.testing.recipients import Recipients
from lockgate.testing.told import untold_faults
from lockgate.testing.world import World
from lockgate.webhooks import Event, verify
from lockgate.wiring import memory_store
from tests.receiver.signed import NOW, SECRET, headers
from tests.spec.operators import ANN

Told = list[tuple[Event, bytes]]


@pytest.fixture
def told() -> tuple[House, str, Told]:
    """Return a store, a webhook, and what its receiver was told: a canary that began and was rolled back."""
    house, recipients = World(memory_store()).house, Recipients()
    made = create_webhook(WebhookOrder(url="https://hooks.example/"), ANN, house, recipients)
    order = Order(app="web", baseline="v1", candidate="v2", policy={"mode": "canary"})
    rollout = create(order, house).rollout
    deliver(house, {Kind.WEBHOOK: recipients}, Bounds())
    rollback(rollout.id, ANN, house)
    deliver(house, {Kind.WEBHOOK: recipients}, Bounds())
    sent = [(message.id, message.body) for _, message in recipients.came]
    journal = [(verify(headers(body, name=name), body, SECRET, now=NOW), body) for name, body in sent]
    return house, made.endpoint.id, journal


def _found(house: House, endpoint: str, journal: Told) -> list[str]:
    with house.store.reading(house.org) as seen:
        return untold_faults(seen, endpoint, journal)


@pytest.mark.clause("WH-70")
@pytest.mark.parametrize("change", [list, lambda told: [*told, *told], lambda told: [told[1], told[0], *told[1:]]])
def test_duplicates_and_late_ones_are_no_fault(change: Callable[[Told], Told], told: tuple[House, str, Told]) -> None:
    """At least once is what is promised; the order is the receiver's own business."""
    house, endpoint, journal = told

    assert _found(house, endpoint, change(journal)) == []


@pytest.mark.clause("WH-70")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told: told[1:], "never came"),
        (lambda told: [*told[:-1], (told[-1][0], told[-1][1] + b" ")], "with other bytes"),
        (lambda told: [*told, (replace(told[0][0], id="evt_other"), told[0][1])], "for somebody else"),
        (lambda told: [told[0], *told[2:]], "the last word on web"),
    ],
)
def test_each_fault_is_seen(change: Callable[[Told], Told], says: str, told: tuple[House, str, Told]) -> None:
    """A message that never came, other bytes, a stranger, and a receiver that ends elsewhere than the store."""
    house, endpoint, journal = told

    assert any(says in fault for fault in _found(house, endpoint, change(journal)))


@pytest.mark.clause("WH-70")
def test_what_is_still_due_is_seen(told: tuple[House, str, Told]) -> None:
    """However much came."""
    house, endpoint, journal = told
    with house.store.writing(house.org) as work:
        first: Delivery = work.deliveries()[0]
        work.put_delivery(replace(first, state=State.DUE))

    assert any("is still due" in fault for fault in _found(house, endpoint, journal))
