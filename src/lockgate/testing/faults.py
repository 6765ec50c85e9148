# SPDX-License-Identifier: Apache-2.0
"""A store and seeded chance come in; the same store, whose callers are interrupted, refused and killed, goes out.

A crash within a transaction leaves nothing of it; a crash after it leaves all of it and no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np

from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.errors import TryAgainError
from lockgate.ports.store import Snapshot, Store, Transaction

# Transactions call the store between five and forty times.
MOST_CALLS = 30
LONGEST_STORM = 6


class CrashError(BaseException):
    """A process ended here; whoever called got no answer, and nothing that catches errors sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Odds:
    """How likely a transaction is to end in a crash, to begin a storm of refusals, and to be interrupted first."""

    crash: float = 0.04
    storm: float = 0.01
    interruption: float = 0.12


class FaultyStore:
    """A store behind which everything is real but the luck of its callers.

    `interrupt` is called before a snapshot or transaction opens: what others do between two of a caller's own.
    While it `is_calm` nothing befalls anybody; when it `owes_crash` the next fault is certain.
    """

    def __init__(self, store: Store, draw: np.random.Generator, odds: Odds, interrupt: Callable[[], None]) -> None:
        self._store, self._draw, self._odds, self._interrupt = store, draw, odds, interrupt
        self._refusals = 0
        self.is_calm = False
        self.owes_crash = False
        self.faults = 0

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[Snapshot]:
        """Open a snapshot."""
        self._meet()
        with self._store.reading(org) as seen:
            yield seen

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        return self._store.api_key(key_id)

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations that have an API key."""
        return self._store.orgs()

    def give_back(self) -> None:
        """Give free room back."""
        self._store.give_back()

    @contextmanager
    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> Iterator[Transaction]:
        """Open a transaction that may not end well."""
        self._meet()
        self._refuse()
        is_doomed, is_within = self._happens(self._odds.crash), self._draw.random() < 0.5
        with self._store.writing(org, spines) as work:
            if not (is_doomed and is_within):
                yield work
            else:
                calls = int(self._draw.integers(1, MOST_CALLS))
                yield cast("Transaction", Doomed(work, calls))
                raise CrashError("before its commit")
        if is_doomed:
            raise CrashError("after its commit")

    def _meet(self) -> None:
        if not self.is_calm and self._draw.random() < self._odds.interruption:
            self._interrupt()

    def _refuse(self) -> None:
        if self._refusals == 0 and self._happens(self._odds.storm):
            self._refusals = int(self._draw.integers(1, LONGEST_STORM))
        if self._refusals:
            self._refusals -= 1
            raise TryAgainError("another process holds the store", advice="Try again.")

    def _happens(self, odds: float) -> bool:
        """Draw whether a fault happens; nothing does while the store is calm."""
        is_hit = bool(self._draw.random() < odds or self.owes_crash) and not self.is_calm
        self.faults += is_hit
        self.owes_crash = self.owes_crash and not is_hit
        return is_hit


class Doomed:
    """A transaction whose process ends at one of the next calls."""

    def __init__(self, work: Transaction, calls: int) -> None:
        self._work, self._left = work, calls

    def __getattr__(self, name: str) -> object:
        """Return what the transaction has by that name, until the last call."""
        self._left -= 1
        if self._left == 0:
            raise CrashError(f"within its transaction, at {name}")
        return getattr(self._work, name)
