# SPDX-License-Identifier: Apache-2.0
"""A store, a webhook and the journal of its receiver come in; what is wrong with what it was told goes out (I8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.core.delivery import Delivery, State
from lockgate.core.outbox import Message
from lockgate.ports.store import Snapshot
from lockgate.webhooks import Event

# What was received: the event that was verified, and its bytes, in the order in which they came.
Journal = Sequence[tuple[Event, bytes]]


def untold_faults(seen: Snapshot, endpoint_id: str, journal: Journal) -> list[str]:
    """Return, in sentences, how a journal differs from what the store says its receiver must have been told."""
    deliveries = [each for each in seen.deliveries() if each.endpoint_id == endpoint_id]
    messages = {each.id: each for each in seen.messages()}
    return [*_missing(deliveries, journal), *_wrong(deliveries, messages, journal), *_last(seen, journal)]


def _missing(deliveries: Sequence[Delivery], journal: Journal) -> Iterator[str]:
    came = {event.id for event, _ in journal}
    for each in deliveries:
        if each.state not in (State.DELIVERED, State.SUPERSEDED):
            yield f"I8: {each.message_id} is still {each.state.value}"
        if each.state is State.DELIVERED and each.message_id not in came:
            yield f"I8: {each.message_id} counts as delivered and never came"


def _wrong(deliveries: Sequence[Delivery], messages: dict[str, Message], journal: Journal) -> Iterator[str]:
    addressed = {each.message_id for each in deliveries}
    for event, body in journal:
        if event.id not in addressed:
            yield f"I8: {event.id} came and was for somebody else"
        elif body != messages[event.id].body:
            yield f"I8: {event.id} came with other bytes than were committed"


def _last(seen: Snapshot, journal: Journal) -> Iterator[str]:
    """Yield where a receiver that lets be what is older ends elsewhere than the store stands."""
    applied: dict[str, Event] = {}
    for event, _ in journal:
        if event.is_movement and event.log_index is not None:
            before = applied.get(str(event.app))
            if before is None or event.log_index > (before.log_index or 0):
                applied[str(event.app)] = event
    for app, event in applied.items():
        trial = seen.trial(str(event.rollout_id))
        if trial is None or trial.rollout.exposed_weight != event.weight:
            yield f"I8: the last word on {app} is {event.id}, which is not where its rollout stands"
