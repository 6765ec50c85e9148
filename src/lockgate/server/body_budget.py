# SPDX-License-Identifier: Apache-2.0
"""Bytes of bodies that calls hold come in; that they are held goes out, or that the server holds enough already.

A call is refused rather than kept waiting: calls that each hold a part and wait for more would wait for each other.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lockgate.server.problem import TOO_MANY, ProblemError
from lockgate.server.rooms import RETRY, STRANGER, Who

# Says that so many bytes more are held.
Hold = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many bytes of bodies are held at once, packed and unpacked: in all, of one organisation, and of one key."""

    total: int = 256 << 20
    org: int = 192 << 20
    # Twice what the largest body has.
    key: int = 128 << 20


class BodyBudget:
    """What calls hold of their bodies, all of them together; safe among threads."""

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self._lock = threading.Lock()
        self._keys: Counter[str] = Counter()
        self._orgs: Counter[str] = Counter()
        self._total = self._most = 0

    @property
    def now(self) -> int:
        """Return how many bytes are held."""
        return self._total

    @property
    def most(self) -> int:
        """Return how many bytes were held at once, at most."""
        return self._most

    @contextmanager
    def held(self, who: Who) -> Iterator[Hold]:
        """Count what one call holds of its body, packed and unpacked, until the block ends.

        Of strangers only small bodies are taken, no more than there are connections: that is bound enough, and none
        keeps another out.
        """
        own = 0

        def hold(size: int) -> None:
            nonlocal own
            if who != STRANGER:
                self._add(who, size)
                own += size

        try:
            yield hold
        finally:
            self._give_back(who, own)

    def _add(self, who: Who, size: int) -> None:
        most = self._budget
        with self._lock:
            key, org, total = self._keys[who.key] + size, self._orgs[who.org] + size, self._total + size
            is_within = key <= most.key and org <= most.org
            if not is_within or total > most.total:
                whose = "the server" if is_within else "the key, or of its organisation"
                said = f"calls in hand of {whose} hold as many bytes of bodies as they may"
                raise ProblemError(TOO_MANY, said, "Send fewer at once.", RETRY)
            self._keys[who.key], self._orgs[who.org], self._total = key, org, total
            self._most = max(self._most, total)

    def _give_back(self, who: Who, size: int) -> None:
        with self._lock:
            self._keys[who.key] -= size
            self._orgs[who.org] -= size
            self._total -= size
            for counted, name in ((self._keys, who.key), (self._orgs, who.org)):
                if not counted[name]:
                    del counted[name]
