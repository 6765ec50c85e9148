# SPDX-License-Identifier: Apache-2.0
"""What the environment says of patience comes in; how many seconds a process waits for another one goes out."""

from __future__ import annotations

import os

from lockgate.adapters.stores.sqlite.file import BUSY_SECONDS
from lockgate.errors import UsageError

BUSY = "LOCKGATE_BUSY_SECONDS"
MAX_BUSY_SECONDS = 3_600.0


def busy_seconds() -> float:
    """Return how many seconds a writer waits while another process holds the store."""
    text = os.environ.get(BUSY) or str(BUSY_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= MAX_BUSY_SECONDS:
        raise UsageError(f"{BUSY} is {text!r}", advice=f"It is a number of seconds from 0 to {MAX_BUSY_SECONDS:,.0f}.")
    return seconds
