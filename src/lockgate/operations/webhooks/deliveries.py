# SPDX-License-Identifier: Apache-2.0
"""A webhook comes in; what became of its messages goes out, or one that was given up is sent again."""

from __future__ import annotations

from lockgate.core.delivery import Delivery, State, again
from lockgate.core.endpoint import Endpoint
from lockgate.core.instant import Instant
from lockgate.core.lane import is_taken_back
from lockgate.errors import NotPermittedError, UnknownError
from lockgate.operations.vault.keeping import changing
from lockgate.operations.webhooks.webhooks import known_webhook, part_of
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


def deliveries_of(webhook_id: str, house: House, *states: State) -> tuple[Delivery, ...]:
    """Return what a webhook was sent or is to be sent, the latest first."""
    with house.store.reading(house.org) as seen:
        return tuple(reversed(_of(seen, known_webhook(seen, webhook_id), *states)))


def redeliver(webhook_id: str, message_id: str, house: House) -> Delivery:
    """Let a message be sent once more, the same bytes under the same id."""
    with changing(house) as work:
        endpoint, now = known_webhook(work, webhook_id), house.clock.now()
        _check_enabled(endpoint)
        found = work.delivery(message_id, webhook_id)
        if found is None:
            raise UnknownError(
                f"{webhook_id} has no delivery {message_id[:80]}", advice="The list of its deliveries names them."
            )
        _check_newest(work, endpoint, found)
        due = found if found.is_leased(now) else again(found, now)
        work.put_delivery(due)
        return due


def recover(webhook_id: str, since: Instant, house: House) -> int:
    """Let everything be sent again that was given up since a time, and return how much that is."""
    with changing(house) as work:
        endpoint = known_webhook(work, webhook_id)
        _check_enabled(endpoint)
        dead = [each for each in _of(work, endpoint, State.DEAD) if each.at >= since]
        for each in dead:
            work.put_delivery(again(each, house.clock.now()))
        return len(dead)


def _of(seen: Snapshot, endpoint: Endpoint, *states: State) -> tuple[Delivery, ...]:
    return tuple(each for each in seen.deliveries(*states, app=endpoint.app) if each.endpoint_id == endpoint.id)


def _check_enabled(endpoint: Endpoint) -> None:
    disabled = part_of(endpoint).disabled
    if disabled:
        raise NotPermittedError(f"{endpoint.id} is disabled: {disabled}", advice="Enable it first.")


def _check_newest(seen: Snapshot, endpoint: Endpoint, delivery: Delivery) -> None:
    """Refuse to give traffic by an older word: what was told since may have taken it away."""
    lane = [each for each in _of(seen, endpoint) if each.app == delivery.app]
    newer = [each for each in lane[lane.index(delivery) + 1 :] if each.is_weight]
    is_replaced = delivery.is_weight and not delivery.is_urgent and bool(newer)
    if is_replaced or any(is_taken_back(delivery, each) for each in newer):
        raise NotPermittedError(
            f"{delivery.message_id} says a weight, and a newer one was asked for since",
            advice=f"Redeliver {newer[-1].message_id}, which is the latest.",
        )
