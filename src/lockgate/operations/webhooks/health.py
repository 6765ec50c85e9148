# SPDX-License-Identifier: Apache-2.0
"""What an attempt came to comes in; a webhook that nothing succeeds at for days, or that is gone, is disabled."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.delivery import Carried
from lockgate.core.instant import Instant
from lockgate.operations.vault.keeping import writing
from lockgate.operations.webhooks.webhook_keeping import DISABLED_BY, keep_webhook
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

GONE = "it answered 410: nothing more is wanted there"
SILENT = "every attempt of five days failed"


def see(work: Transaction, endpoint_id: str, carried: Carried, now: Instant) -> str | None:
    """Keep since when a webhook fails, in the transaction that settles, and return why it is given up, if it is."""
    endpoint = work.endpoint(endpoint_id)
    if endpoint is None or endpoint.webhook is None:
        return None
    webhook = endpoint.webhook.tried(now, is_failed=carried.fault is not None)
    if webhook != endpoint.webhook:
        work.put_endpoint(replace(endpoint, webhook=webhook))
    if webhook.disabled:
        return None
    return GONE if carried.is_gone else SILENT if webhook.is_silent(now) else None


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
