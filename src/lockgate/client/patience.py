# SPDX-License-Identifier: Apache-2.0
"""What a server answered comes in; how long and when the same call may be made again goes out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress

# What a proxy answers that finds no server; a server may say the same of what it needs itself.
AWAY = frozenset({502, 503, 504})
# A server that says so itself is there, and is asked again for so long at least.
OWN_S = 15.0
OWN, LEFT = b'"urn:lockgate:problem:', b'"urn:lockgate:problem:store-left"'
FIRST_WAIT_S = 0.2


def patience_with(status: int, body: bytes, patience: float) -> float:
    """Return for how many seconds a call with this answer may be made again, beside how long a call may take."""
    if LEFT in body:
        # The store goes on elsewhere, and never here again.
        return 0.0
    if status not in AWAY:
        return math.inf
    return max(patience, OWN_S) if OWN in body else patience


def last_pause(pause: float, latest: float) -> float:
    """Return a pause that leaves time for one more try, as long as any is left."""
    left = latest - time.monotonic()
    return min(pause, left * 0.9) if left > FIRST_WAIT_S / 2 else pause


def asked_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds of `Retry-After`, which are a number or a date."""
    text = headers.get("retry-after", "")
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 -- dates are rare

    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return 0.0
