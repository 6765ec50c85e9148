# SPDX-License-Identifier: Apache-2.0
"""Tables of memory come in; what is old, pinned or dropped goes out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile

from lockgate.adapters.stores.memory.tables import MemoryTablesReading, MemoryTablesWriting
from lockgate.core.batch import Ingested
from lockgate.core.delivery import OPEN, Delivery
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention

_OF_SLOT = ("cells", "pairs", "segments")


class MemoryRetentionReading(MemoryTablesReading):
    """What is kept for how long."""

    __slots__ = ()

    def retention(self) -> Retention:
        """Return how long things are kept."""
        found: Retention = self._table("retention").get("", Retention())
        return found

    def pins(self) -> tuple[Pin, ...]:
        """Return all pins."""
        return tuple(pin for _, pin in sorted(self._table("pins").items()))

    def oldest_slot(self, app: str) -> Instant | None:
        """Return when the slot that opened first did."""
        return min((slot.opened_at for slot in self._table("slots", app).values()), default=None)

    def pinned(self) -> frozenset[str]:
        """Return the digests of pinned batches."""
        batches = self._table("batches")
        return frozenset(
            digest
            for pin in self.pins()
            for number in range(pin.first, pin.last + 1)
            for digest in self._table(f"segments {number}", pin.app)
            if digest in batches and batches[digest].at >= pin.raw_from
        )

    def batches_before(self, at: Instant, digest: str, count: int) -> tuple[Ingested, ...]:
        """Return batches, the latest first."""
        found = sorted(self._table("batches").values(), key=lambda each: (each.at, each.digest), reverse=True)
        return tuple(islice((each for each in found if (each.at, each.digest) < (at, digest)), count))

    def segments_before(self, at: Instant, after: tuple[Instant, str], count: int) -> tuple[tuple[Instant, str], ...]:
        """Return raw runs, the oldest first."""
        batches = self._table("batches")
        rows = sorted((batches[digest].at, digest) for digest in self._table("bodies") if digest in batches)
        return tuple(islice((row for row in rows if row[0] < at and row > after), count))

    def rollouts_with_looks(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of rollouts with looks."""
        found = sorted(owner for (name, owner), rows in self.tables.items() if name == "looks" and rows)
        return tuple(islice((owner for owner in found if owner > after), count))

    def has_settled(self, before: Instant) -> bool:
        """Say whether deliveries would be dropped."""
        return bool(self._settled(before, 1))

    def _settled(self, before: Instant, count: int) -> list[Delivery]:
        """Return the oldest deliveries that are told no more."""
        place = {name: number for number, name in enumerate(self._table("messages"))}
        ordered = sorted(self._table("deliveries").values(), key=lambda each: place[each.message_id])
        old = takewhile(lambda each: each.at < before, ordered)
        return list(islice((each for each in old if each.state not in OPEN), count))


class MemoryRetentionWriting(MemoryRetentionReading, MemoryTablesWriting):
    """What is kept no longer."""

    __slots__ = ()

    def put_retention(self, retention: Retention) -> None:
        """Keep how long things are kept."""
        self._writable("retention")[""] = retention

    def put_pin(self, pin: Pin) -> None:
        """Keep a pin."""
        self._writable("pins")[pin.rollout, pin.first] = pin

    def drop_pin(self, rollout_id: str) -> bool:
        """Drop a pin."""
        mine = [key for key in self._table("pins") if key[0] == rollout_id]
        for key in mine:
            del self._writable("pins")[key]
        return bool(mine)

    def drop_segments(self, digests: Iterable[str]) -> None:
        """Drop raw runs."""
        bodies = self._writable("bodies")
        for digest in digests:
            bodies.pop(digest, None)

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop slots."""
        slots = self._writable("slots", app)
        for number in range(first, last + 1):
            slots.pop(number, None)
            for table in _OF_SLOT:
                self._writable(f"{table} {number}", app).clear()

    def drop_batches(self, before: Instant, count: int) -> int:
        """Drop batches."""
        batches = self._writable("batches")
        old = [digest for digest, each in batches.items() if each.at < before]
        for digest in old[:count]:
            del batches[digest]
        return len(old[:count])

    def drop_looks(self, rollout_id: str, count: int) -> int:
        """Drop looks."""
        looks = self._writable("looks", rollout_id)
        numbers = sorted(looks)[:count]
        for number in numbers:
            del looks[number]
        return len(numbers)

    def drop_deliveries(self, before: Instant, count: int) -> int:
        """Drop deliveries."""
        settled = self._settled(before, count)
        deliveries = self._writable("deliveries")
        for each in settled:
            del deliveries[each.message_id, each.endpoint_id]
        return len(settled)

    def drop_ids(self, before: Instant, count: int) -> int:
        """Drop marks of run ids."""
        dropped = 0
        for (name, app), rows in list(self.tables.items()):
            if name in ("id window", "strict ids"):
                ages = {key: row[0] if isinstance(row, tuple) else row for key, row in rows.items()}
                old = [key for key, at in ages.items() if at < before][:count]
                for key in old:
                    del self._writable(name, app)[key]
                dropped += len(old)
        return dropped
