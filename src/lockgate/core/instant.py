# SPDX-License-Identifier: Apache-2.0
"""A moment comes in as milliseconds since the epoch, UTC; its text goes out."""

from __future__ import annotations

from datetime import UTC, datetime

Instant = int

SECOND = 1_000
HOUR = 3_600 * SECOND
# A clock is set a little now and then; a time further ahead of it was read before it was set back.
SET_BACK = 10 * SECOND


def is_ahead(instant: Instant, now: Instant) -> bool:
    """Say whether a time that has been was read from a clock that was set back since."""
    return instant - now > SET_BACK


def instant_text(instant: Instant) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    whole = datetime.fromtimestamp(instant // SECOND, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{instant % SECOND:03d}Z"
