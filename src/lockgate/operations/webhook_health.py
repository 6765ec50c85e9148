# SPDX-License-Identifier: Apache-2.0
"""What an attempt came to comes in; a webhook that nothing succeeds at for days, or that is gone, is disabled."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.delivery import Carried
from lockgate.core.webhook import GIVEN_UP_AFTER
from lockgate.operations.webhook_keeping import DISABLED_BY, keep_webhook
from lockgate.ports.house import House
from lockgate.ports.store import Transaction

GONE = "it answered 410: nothing more is wanted there"
SILENT = "every attempt of five days failed"


def see(work: Transaction, house: House, endpoint_id: str, carried: Carried) -> None:
    """Keep since when a webhook fails, and disable one that is given up, in the transaction that settles."""
    endpoint = work.endpoint(endpoint_id)
    if endpoint is None or endpoint.webhook is None:
        return
    webhook, now = endpoint.webhook, house.clock.now()
    failing_since = 0 if carried.fault is None else webhook.failing_since or now
    is_silent = failing_since and now - failing_since >= GIVEN_UP_AFTER
    why = GONE if carried.is_gone else SILENT if is_silent else ""
    if why and not webhook.disabled:
        after = replace(webhook, failing_since=failing_since, disabled=why)
        keep_webhook(work, house, replace(endpoint, webhook=after), DISABLED_BY, why)
    elif failing_since != webhook.failing_since:
        work.put_endpoint(replace(endpoint, webhook=replace(webhook, failing_since=failing_since)))
