# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what is old, pinned or dropped goes out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, takewhile

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.batch import Ingested
from lockgate.core.delivery import OPEN, Delivery
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention

_OF_SLOT = ("tallies", "cells", "pairs", "slot_batches", "slots")


class PostgresRetentionReading(PostgresRowsReading):
    """What is kept for how long."""

    def retention(self) -> Retention:
        """Return how long things are kept."""
        return self._one(Retention, "SELECT body FROM retention WHERE org = %s") or Retention()

    def pins(self) -> tuple[Pin, ...]:
        """Return all pins."""
        return self._all(Pin, "SELECT body FROM pins WHERE org = %s ORDER BY rollout, first")

    def oldest_slot(self, app: str) -> Instant | None:
        """Return when the slot that opened first did."""
        ((found,),) = self._rows("SELECT min(opened_at) FROM slots WHERE org = %s AND app = %s", app)
        return None if found is None else int(found)

    def pinned(self) -> frozenset[str]:
        """Return the digests of pinned batches."""
        sql = (
            "SELECT DISTINCT s.digest FROM slot_batches s JOIN batches b ON b.org = s.org AND b.digest = s.digest"
            " WHERE s.org = %s AND s.app = %s AND s.number BETWEEN %s AND %s AND b.at >= %s"
        )
        found: set[str] = set()
        for pin in self.pins():
            found.update(digest for (digest,) in self._rows(sql, pin.app, pin.first, pin.last, pin.raw_from))
        return frozenset(found)

    def batches_before(self, at: Instant, digest: str, count: int) -> tuple[Ingested, ...]:
        """Return batches, the latest first."""
        sql = (
            "SELECT body FROM batches WHERE org = %s AND (at, digest) < (%s, %s::text)"
            " ORDER BY at DESC, digest DESC LIMIT %s"
        )
        return self._all(Ingested, sql, at, digest, count)

    def rollouts_with_looks(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of rollouts with looks."""
        sql = "SELECT DISTINCT rollout FROM looks WHERE org = %s AND rollout > %s ORDER BY rollout LIMIT %s"
        return tuple(name for (name,) in self._rows(sql, after, count))

    def has_settled(self, before: Instant) -> bool:
        """Say whether deliveries would be dropped."""
        return bool(self._settled(before, 1))

    def _settled(self, before: Instant, count: int) -> list[tuple[str, str]]:
        """Return message and endpoint of the oldest deliveries that are told no more."""
        sql = (
            "SELECT d.message, d.endpoint, d.state, d.body FROM messages m"
            " JOIN deliveries d ON d.org = m.org AND d.message = m.id WHERE m.org = %s ORDER BY m.place, d.endpoint"
        )
        old = takewhile(lambda row: unpack(Delivery, row[3]).at < before, self._rows(sql))
        return list(islice(((message, end) for message, end, state, _ in old if state not in OPEN), count))


class PostgresRetentionWriting(PostgresRetentionReading, PostgresRowsWriting):
    """What is kept no longer."""

    def put_retention(self, retention: Retention) -> None:
        """Keep how long things are kept."""
        sql = "INSERT INTO retention VALUES (%s, %s) ON CONFLICT (org) DO UPDATE SET body = excluded.body"
        self._later(sql, pack(retention))

    def put_pin(self, pin: Pin) -> None:
        """Keep a pin."""
        sql = (
            "INSERT INTO pins VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (org, rollout, first) DO UPDATE SET body = excluded.body"
        )
        self._later(sql, pin.rollout, pin.first, pack(pin))

    def drop_pin(self, rollout_id: str) -> bool:
        """Drop a pin."""
        return self._change("DELETE FROM pins WHERE org = %s AND rollout = %s", rollout_id) > 0

    def drop_segments(self, digests: Iterable[str]) -> None:
        """Drop raw runs."""
        self._later("DELETE FROM segments WHERE org = %s AND digest = ANY(%s::text[])", list(digests))

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop slots."""
        for table in _OF_SLOT:
            sql = f"DELETE FROM {table} WHERE org = %s AND app = %s AND number BETWEEN %s AND %s"  # noqa: S608 -- the tables of this file
            self._later(sql, app, first, last)

    def drop_batches(self, before: Instant, count: int) -> int:
        """Drop batches."""
        sql = (
            "DELETE FROM batches WHERE (org, digest) IN"
            " (SELECT org, digest FROM batches WHERE org = %s AND at < %s ORDER BY at LIMIT %s)"
        )
        return self._change(sql, before, count)

    def drop_looks(self, rollout_id: str, count: int) -> int:
        """Drop looks."""
        sql = (
            "DELETE FROM looks WHERE (org, rollout, number) IN (SELECT org, rollout, number FROM looks"
            " WHERE org = %s AND rollout = %s ORDER BY number LIMIT %s)"
        )
        return self._change(sql, rollout_id, count)

    def drop_deliveries(self, before: Instant, count: int) -> int:
        """Drop deliveries."""
        settled = self._settled(before, count)
        sql = (
            "DELETE FROM deliveries WHERE org = %s"
            " AND (message, endpoint) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
        )
        return self._change(sql, [message for message, _ in settled], [endpoint for _, endpoint in settled])

    def drop_ids(self, before: Instant, count: int) -> int:
        """Drop marks of run ids."""
        in_window = (
            "DELETE FROM id_window WHERE (org, app, place) IN"
            " (SELECT org, app, place FROM id_window WHERE org = %s AND at < %s LIMIT %s)"
        )
        strict = (
            "DELETE FROM strict_ids WHERE (org, app, mark) IN"
            " (SELECT org, app, mark FROM strict_ids WHERE org = %s AND at < %s LIMIT %s)"
        )
        return self._change(in_window, before, count) + self._change(strict, before, count)
