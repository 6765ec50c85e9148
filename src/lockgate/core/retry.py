# SPDX-License-Identifier: Apache-2.0
"""How often something was tried in vain comes in; how long nobody tries it again goes out, or that it is given up."""

from __future__ import annotations

import hashlib

from lockgate.core.endpoint import Kind
from lockgate.core.instant import HOUR, SECOND, Instant

MINUTE = 60 * SECOND
FIRST_WAIT, LONGEST_WAIT = 5 * SECOND, 12 * HOUR
# A candidate that must go is served until its router hears of it.
FIRST_URGENT_WAIT, LONGEST_URGENT_WAIT = SECOND, 300 * SECOND
PATIENCE = 72 * HOUR
# Of a webhook: the waits of Standard Webhooks, over about three days; what is urgent is tried more often at first.
TAIL = (5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
WEBHOOK_WAITS = (5 * SECOND, *TAIL)
URGENT_WEBHOOK_WAITS = (SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND, *TAIL)
# Receivers that failed together are not all tried again at one moment.
JITTER = 0.2
# Who says when to come back is believed for so long.
LONGEST_RETRY_AFTER = HOUR


def wait_after(kind: Kind, attempts: int, name: str, *, is_urgent: bool) -> Instant | None:
    """Return how long to wait after so many attempts; None when it is given up. `name` is what spreads the waits."""
    if kind is Kind.WEBHOOK:
        waits = URGENT_WEBHOOK_WAITS if is_urgent else WEBHOOK_WAITS
        return None if attempts > len(waits) else round(waits[attempts - 1] * _spread(f"{name} {attempts}"))
    first, longest = (FIRST_URGENT_WAIT, LONGEST_URGENT_WAIT) if is_urgent else (FIRST_WAIT, LONGEST_WAIT)
    waited = [min(longest, first << min(attempt - 1, 32)) for attempt in range(1, attempts + 1)]
    return None if sum(waited) > PATIENCE else waited[-1]


def _spread(name: str) -> float:
    """Return a factor near 1, the same for the same name."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
    return 1 - JITTER + 2 * JITTER * drawn
