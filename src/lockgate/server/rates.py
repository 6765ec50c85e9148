# SPDX-License-Identifier: Apache-2.0
"""Who asks, how often they may, and the time come in; whether this call is let through goes out.

A rate is kept as one moment: until when what was let through so far lasts (GCRA, a token bucket in one number). Who has
not asked for a while takes no room at all. Each server counts for itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

# So many callers are remembered; the one who asked longest ago is forgotten first.
MOST = 10_000
# What sums of moments and spans are off by, at most.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Rate:
    """So much every second on average, and at once as much as `seconds` bring; 0 is no limit."""

    per_second: float
    seconds: float = 2.0

    @property
    def quota(self) -> float:
        """Return how much is let through at once."""
        return self.per_second * self.seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands to a rate: what is left, and in how many seconds there is all of it, or enough, again."""

    is_within: bool
    left: float
    full_s: float
    wait_s: float


class Usage:
    """What each caller has used of one rate; safe among threads."""

    def __init__(self, rate: Rate, most: int = MOST) -> None:
        self.rate = rate
        self._most = most
        self._until: OrderedDict[Hashable, float] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._until)

    def take(self, who: Hashable, now: float, cost: float = 1.0, *, is_forced: bool = False) -> Standing:
        """Let a call through and count it, unless the caller has used all that there is; `is_forced` counts anyway."""
        rate = self.rate
        if not rate.per_second:
            return Standing(is_within=True, left=0.0, full_s=0.0, wait_s=0.0)
        with self._turn:
            until = max(self._until.get(who, now), now)
            after = until + cost / rate.per_second
            over = after - now - rate.seconds
            # Whoever asks for more than there ever is waits until there is all, and is let through then.
            is_within = over <= ROUNDING or until <= now
            if is_within or is_forced:
                self._until[who] = until = after
                self._until.move_to_end(who)
                self._forget(now)
        left = max(0.0, (rate.seconds - (until - now)) * rate.per_second)
        return Standing(is_within=is_within, left=left, full_s=until - now, wait_s=0.0 if is_within else over)

    def _forget(self, now: float) -> None:
        """Forget whoever asked longest ago, where they stand as anybody does, or where there is no room."""
        while self._until:
            first = next(iter(self._until))
            if self._until[first] > now and len(self._until) <= self._most:
                return
            del self._until[first]
