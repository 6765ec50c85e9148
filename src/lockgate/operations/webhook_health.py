# SPDX-License-Identifier: Apache-2.0
"""What an attempt came to comes in; a webhook that nothing succeeds at for days, or that is gone, is disabled."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.delivery import Carried
from lockgate.core.instant import Instant
from lockgate.core.webhook import GIVEN_UP_AFTER, Webhook
from lockgate.operations.keeping import writing
from lockgate.operations.webhook_keeping import DISABLED_BY, keep_webhook
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

GONE = "it answered 410: nothing more is wanted there"
SILENT = "every attempt of five days failed"


def see(work: Transaction, endpoint_id: str, carried: Carried, now: Instant) -> str | None:
    """Keep since when a webhook fails, in the transaction that settles, and return why it is given up, if it is."""
    endpoint = work.endpoint(endpoint_id)
    if endpoint is None or endpoint.webhook is None:
        return None
    webhook = endpoint.webhook
    since = 0 if carried.fault is None else webhook.failing_since or now
    if since != webhook.failing_since:
        webhook = replace(webhook, failing_since=since)
        work.put_endpoint(replace(endpoint, webhook=webhook))
    return None if webhook.disabled else _given_up(webhook, carried, now)


def disable(house: House, endpoint_id: str, why: str) -> None:
    """Send a webhook nothing more, by a receipt that says why.

    It has a transaction of its own: an attempt is settled also where nothing can be signed, and the next one that
    fails comes here again.
    """
    with writing(house) as work:
        endpoint = work.endpoint(endpoint_id)
        if endpoint is None or endpoint.webhook is None or endpoint.webhook.disabled:
            return
        disabled = replace(endpoint, webhook=replace(endpoint.webhook, disabled=why))
        keep_webhook(work, house, disabled, DISABLED_BY, why)


def _given_up(webhook: Webhook, carried: Carried, now: Instant) -> str | None:
    if carried.is_gone:
        return GONE
    return SILENT if webhook.failing_since and now - webhook.failing_since >= GIVEN_UP_AFTER else None
