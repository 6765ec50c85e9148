# SPDX-License-Identifier: Apache-2.0
"""A moment comes in as milliseconds since the epoch, UTC; its text goes out."""

from __future__ import annotations

from datetime import UTC, datetime

Instant = int

SECOND = 1_000
HOUR = 3_600 * SECOND


def instant_text(instant: Instant) -> str:
    """Return an instant as RFC 3339 in UTC with milliseconds."""
    whole = datetime.fromtimestamp(instant // SECOND, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{instant % SECOND:03d}Z"
