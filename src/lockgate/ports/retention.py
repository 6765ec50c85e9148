# SPDX-License-Identifier: Apache-2.0
"""The part of a store that lets go comes in by age; what is old, what is pinned, and what was dropped go out.

Nothing here touches receipts, the log, or rollouts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention


class RetentionReading(Protocol):
    """What is kept for how long."""

    def retention(self) -> Retention:
        """Return how long things are kept; the defaults where nobody said otherwise."""

    def pins(self) -> tuple[Pin, ...]:
        """Return all pins, by rollout."""

    def oldest_slot(self, app: str) -> Instant | None:
        """Return the earliest time at which a slot of an app opened that is kept; None without any."""

    def pinned(self) -> frozenset[str]:
        """Return the digests of the batches whose raw runs are pinned."""

    def batches_before(self, at: Instant, digest: str, count: int) -> tuple[Ingested, ...]:
        """Return batches before one by time and digest, the latest first."""

    def segments_before(self, at: Instant, after: tuple[Instant, str], count: int) -> tuple[tuple[Instant, str], ...]:
        """Return time and digest of raw runs that came before a time and after a row, the oldest first."""

    def rollouts_with_looks(self, after: str, count: int) -> tuple[str, ...]:
        """Return so many ids of rollouts whose looks are kept, after one, in order."""

    def has_settled(self, before: Instant) -> bool:
        """Say whether `drop_deliveries` would drop any that were committed before a time."""


class RetentionWriting(RetentionReading, Protocol):
    """What is kept no longer. All of it may be dropped again without harm."""

    def put_retention(self, retention: Retention) -> None:
        """Keep how long things are kept."""

    def put_pin(self, pin: Pin) -> None:
        """Keep a pin; a rollout has one, and another takes its place."""

    def drop_pin(self, rollout_id: str) -> bool:
        """Drop the pin of a rollout; say whether there was one."""

    def drop_segments(self, digests: Iterable[str]) -> None:
        """Drop raw runs."""

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop sealed slots from one number to another, and all that stands in them."""

    def drop_batches(self, before: Instant, count: int) -> int:
        """Drop so many of the oldest batches that came before a time, and say how many; their slots are gone."""

    def drop_looks(self, rollout_id: str, count: int) -> int:
        """Drop so many looks of a rollout; say how many."""

    def drop_deliveries(self, before: Instant, count: int) -> int:
        """Drop so many deliveries of the oldest messages, those committed before a time; say how many.

        What may still be told stays, and so does all that was committed after a message of that time or later.
        """

    def drop_ids(self, before: Instant, count: int) -> int:
        """Drop so many marks of run ids that were kept before a time; say how many rows."""
