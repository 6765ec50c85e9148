# SPDX-License-Identifier: Apache-2.0
"""Which wait it is comes in; how long nobody tries a failed delivery again goes out, or that it is given up."""

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


def wait_after(kind: Kind, number: int, name: str, *, is_urgent: bool) -> Instant | None:
    """Return how long the wait of a number, from 1 on, is; None when it is given up. `name` spreads the waits.

    A wait begins by a try at which the one before it was over, so that the numbers stand for time.
    """
    if kind is Kind.WEBHOOK:
        waits = URGENT_WEBHOOK_WAITS if is_urgent else WEBHOOK_WAITS
        return None if number > len(waits) else round(waits[number - 1] * _spread(f"{name} {number}"))
    first, longest = (FIRST_URGENT_WAIT, LONGEST_URGENT_WAIT) if is_urgent else (FIRST_WAIT, LONGEST_WAIT)
    waited = [min(longest, first << min(each - 1, 32)) for each in range(1, number + 1)]
    return None if sum(waited) > PATIENCE else waited[-1]


def _spread(name: str) -> float:
    """Return a factor near 1, the same for the same name."""
    drawn = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
    return 1 - JITTER + 2 * JITTER * drawn
