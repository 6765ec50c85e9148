# SPDX-License-Identifier: Apache-2.0
"""Connections inside a transaction come in; what is old, pinned or dropped goes out."""

from __future__ import annotations

from itertools import islice, takewhile

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.batch import Ingested
from lockgate.core.delivery import OPEN, Delivery
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention

_OF_SLOT = ("tallies", "cells", "pairs", "slot_batches", "slots")


class SqliteRetentionReading(SqliteRowsReading):
    """What is kept for how long."""

    def retention(self) -> Retention:
        """Return how long things are kept."""
        return self._one(Retention, "SELECT body FROM retention WHERE org = ?") or Retention()

    def pins(self) -> tuple[Pin, ...]:
        """Return all pins."""
        return self._all(Pin, "SELECT body FROM pins WHERE org = ? ORDER BY rollout, first")

    def oldest_slot(self, app: str) -> Instant | None:
        """Return when the slot that opened first did."""
        ((found,),) = self._rows("SELECT min(opened_at) FROM slots WHERE org = ? AND app = ?", app)
        return None if found is None else int(found)

    def pinned(self) -> frozenset[str]:
        """Return the digests of pinned batches."""
        sql = (
            "SELECT DISTINCT s.digest FROM slot_batches s JOIN batches b ON b.org = s.org AND b.digest = s.digest"
            " WHERE s.org = ? AND s.app = ? AND s.number BETWEEN ? AND ? AND b.at >= ?"
        )
        found: set[str] = set()
        for pin in self.pins():
            found.update(digest for (digest,) in self._rows(sql, pin.app, pin.first, pin.last, pin.raw_from))
        return frozenset(found)

    def batches_before(self, at: Instant, digest: str, count: int) -> tuple[Ingested, ...]:
        """Return batches, the latest first."""
        sql = "SELECT body FROM batches WHERE org = ? AND (at, digest) < (?, ?) ORDER BY at DESC, digest DESC LIMIT ?"
        return self._all(Ingested, sql, at, digest, count)

    def rollouts_with_looks(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of rollouts with looks."""
        sql = "SELECT DISTINCT rollout FROM looks WHERE org = ? AND rollout > ? ORDER BY rollout LIMIT ?"
        return tuple(name for (name,) in self._rows(sql, after, count))

    def has_settled(self, before: Instant) -> bool:
        """Say whether deliveries would be dropped."""
        return bool(self._settled(before, 1))

    def _settled(self, before: Instant, count: int) -> list[int]:
        """Return the rows of the oldest deliveries that are told no more."""
        sql = (
            "SELECT d.rowid, d.state, d.body FROM messages m JOIN deliveries d ON d.org = m.org AND d.message = m.id"
            " WHERE m.org = ? ORDER BY m.place"
        )
        rows = self._control.execute(sql, (self._org,))
        old = takewhile(lambda row: unpack(Delivery, row[2]).at < before, rows)
        return list(islice((place for place, state, _ in old if state not in OPEN), count))


class SqliteRetentionWriting(SqliteRetentionReading, SqliteRowsWriting):
    """What is kept no longer."""

    def put_retention(self, retention: Retention) -> None:
        """Keep how long things are kept."""
        self._change("INSERT OR REPLACE INTO retention VALUES (?, ?)", pack(retention))

    def put_pin(self, pin: Pin) -> None:
        """Keep a pin."""
        self._change("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?)", pin.rollout, pin.first, pack(pin))

    def drop_pin(self, rollout_id: str) -> bool:
        """Drop a pin."""
        return self._change("DELETE FROM pins WHERE org = ? AND rollout = ?", rollout_id) > 0

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop slots."""
        for table in _OF_SLOT:
            sql = f"DELETE FROM {table} WHERE org = ? AND app = ? AND number BETWEEN ? AND ?"  # noqa: S608 -- the tables of this file
            self._change(sql, app, first, last)

    def drop_batches(self, before: Instant, count: int) -> int:
        """Drop batches."""
        oldest = "SELECT rowid FROM batches WHERE org = ? AND at < ? ORDER BY at LIMIT ?"
        sql = f"DELETE FROM batches WHERE rowid IN ({oldest})"  # noqa: S608 -- the query of the line above
        return self._change(sql, before, count)

    def drop_looks(self, rollout_id: str, count: int) -> int:
        """Drop looks."""
        numbers = "SELECT number FROM looks WHERE org = ?1 AND rollout = ?2 ORDER BY number LIMIT ?3"
        sql = f"DELETE FROM looks WHERE org = ?1 AND rollout = ?2 AND number IN ({numbers})"  # noqa: S608 -- the query of the line above
        return self._change(sql, rollout_id, count)

    def drop_deliveries(self, before: Instant, count: int) -> int:
        """Drop deliveries."""
        settled = self._settled(before, count)
        for place in settled:
            self._change("DELETE FROM deliveries WHERE org = ? AND rowid = ?", place)
        return len(settled)

    def drop_ids(self, before: Instant, count: int) -> int:
        """Drop marks of run ids."""
        places = "SELECT place FROM id_window WHERE org = ? AND at < ? LIMIT ?"
        in_window = f"DELETE FROM id_window WHERE place IN ({places})"  # noqa: S608 -- the query of the line above
        marks = "SELECT app, mark FROM strict_ids WHERE org = ?1 AND at < ?2 LIMIT ?3"
        strict = f"DELETE FROM strict_ids WHERE org = ?1 AND (app, mark) IN ({marks})"  # noqa: S608 -- the query of the line above
        return self._change(in_window, before, count) + self._change(strict, before, count)
