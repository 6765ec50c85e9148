# SPDX-License-Identifier: Apache-2.0
"""Organisations come in whose receivers do not answer; what others are told goes out all the same: docs/spec.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.endpoint import Kind
from lockgate.operations.create import create
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.dispatch import OF_ORG, SPARE, THREADS, Dispatch, Room
from lockgate.operations.webhooks.webhooks import WebhookOrder, create_webhook
from lockgate.ports.house import House
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import order
from tests.spec.operators import ANN
from tests.spec.test_webhook_events import URL, Silent


@pytest.fixture
def silent() -> Iterator[Silent]:
    """Return receivers that do not answer before the test ends."""
    found = Silent()
    yield found
    found.is_over.set()


def _begun(house: House, silent: Silent, hooks: int) -> str:
    """Put something on trial that so many receivers of an organisation hear of."""
    for _ in range(hooks):
        create_webhook(WebhookOrder(url=URL), ANN, house, silent)
    return create(order(), house).rollout.id


def _count(silent: Silent, wanted: int) -> int:
    """Return how many messages are under way since the last count: those that are waited for, and any beyond."""
    found = 0
    while silent.begun.acquire(timeout=20 if found < wanted else 0.3):
        found += 1
    return found


@pytest.mark.clause("WH-43")
@pytest.mark.parametrize("room", [Room.WEBHOOK, Room.URGENT_WEBHOOK])
def test_an_organisation_whose_receivers_do_not_answer_keeps_no_other_waiting(
    tmp_path: Path, silent: Silent, room: Room
) -> None:
    """Two that have all that they may leave room for a third; what is urgent is no different."""
    own = World(sqlite_store(tmp_path)).house
    dispatch = Dispatch({Kind.WEBHOOK: silent}, lambda: None, lambda _: None)
    half, many, counts = OF_ORG[room], THREADS[room] + 1, []
    wanted = {("aaa", many): half, ("bbb", many): THREADS[room] - half - SPARE[room], ("zzz", 1): 1}
    for (org, hooks), most in wanted.items():
        house = replace(own, org=org)
        name = _begun(house, silent, hooks)
        if room is Room.URGENT_WEBHOOK:
            rollback(name, ANN, house)
        dispatch.turn(house)
        counts.append(_count(silent, most))

    silent.is_over.set()
    dispatch.settle(20)
    assert counts == list(wanted.values())
