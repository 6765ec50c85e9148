# SPDX-License-Identifier: Apache-2.0
"""A webhook as it is to be comes in; it is kept or forgotten, with the receipt that says so.

Who is sent messages is stated in the organisation's own series of receipts: by a digest, because a URL may hold what
is not for everybody.
"""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.canonical import digest
from lockgate.core.decision.decision import Action
from lockgate.core.delivery import State, superseded
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.receipt import Actor
from lockgate.core.vault import Receipt
from lockgate.operations.vault.acting import checked_actor
from lockgate.operations.vault.custody import change, standing
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

DISABLED_BY = Actor("sender", "lockgate", "it sends nothing where nothing is taken")
REMOVED = "its endpoint was removed"


def webhooks_in(seen: Snapshot) -> tuple[Endpoint, ...]:
    """Return all webhooks by id."""
    return tuple(each for each in seen.endpoints() if each.kind is Kind.WEBHOOK)


def declared_webhooks(seen: Snapshot) -> str | None:
    """Return the digest of all webhooks; None where none is declared."""
    found = webhooks_in(seen)
    return digest([each.digest() for each in found]) if found else None


def keep_webhook(work: Transaction, house: House, endpoint: Endpoint, actor: Actor, said: str) -> Receipt:
    """Keep a webhook, within a transaction of `writing`; what later receipts tell is for it as it is now."""
    latest = work.latest_receipt()
    log_size = 0 if latest is None else latest.index + 1
    work.put_endpoint(replace(endpoint, since=house.clock.now(), log_size=log_size))
    return _state(work, house, Action.SET_WEBHOOK, actor, f"{endpoint.id}: {said}")


def drop_webhook(work: Transaction, house: House, endpoint: Endpoint, actor: Actor) -> Receipt:
    """Forget a webhook, within a transaction of `writing`; what it was not sent is never sent."""
    work.drop_endpoint(endpoint.id)
    for each in work.deliveries(State.DUE, State.DEAD, app=endpoint.app):
        if each.endpoint_id == endpoint.id:
            work.put_delivery(superseded(each, REMOVED))
    return _state(work, house, Action.REMOVE_WEBHOOK, actor, f"{endpoint.id}: nothing is sent there any more")


def _state(work: Transaction, house: House, action: Action, actor: Actor, said: str) -> Receipt:
    checked = checked_actor(actor)
    after = replace(standing(work, house), webhooks=declared_webhooks(work))
    return change(work, house, after, action, checked, said)
