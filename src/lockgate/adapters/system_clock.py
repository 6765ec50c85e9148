# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the time of this machine goes out."""

from __future__ import annotations

import time

from lockgate.core.instant import Instant


class SystemClock:
    """The clock of this machine."""

    def now(self) -> Instant:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000
