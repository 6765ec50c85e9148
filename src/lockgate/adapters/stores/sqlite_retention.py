# SPDX-License-Identifier: Apache-2.0
"""Connections inside a transaction come in; what is old, pinned or dropped goes out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.core.retention import Pin, Retention

_OF_SLOT = ("tallies", "cells", "pairs", "slot_batches", "slots")


class SqliteRetentionReading:
    """What is kept for how long."""

    _control: sqlite3.Connection
    _runs: sqlite3.Connection
    _org: str

    def retention(self) -> Retention:
        """Return how long things are kept."""
        row = self._control.execute("SELECT body FROM retention WHERE org = ?", (self._org,)).fetchone()
        return Retention() if row is None else unpack(Retention, row[0])

    def pins(self) -> tuple[Pin, ...]:
        """Return all pins."""
        rows = self._control.execute("SELECT body FROM pins WHERE org = ? ORDER BY rollout", (self._org,))
        return tuple(unpack(Pin, body) for (body,) in rows)

    def pinned(self) -> frozenset[str]:
        """Return the digests of pinned batches."""
        sql = "SELECT DISTINCT digest FROM slot_batches WHERE org = ? AND app = ? AND number BETWEEN ? AND ?"
        found: set[str] = set()
        for pin in self.pins():
            rows = self._control.execute(sql, (self._org, pin.app, pin.first, pin.last))
            found.update(digest for (digest,) in rows)
        return frozenset(found)

    def batches_before(self, at: Instant, digest: str, count: int) -> tuple[Ingested, ...]:
        """Return batches, the latest first."""
        sql = "SELECT body FROM batches WHERE org = ? AND (at, digest) < (?, ?) ORDER BY at DESC, digest DESC LIMIT ?"
        rows = self._control.execute(sql, (self._org, at, digest, count))
        return tuple(unpack(Ingested, body) for (body,) in rows)

    def segments_before(self, at: Instant, after: tuple[Instant, str], count: int) -> tuple[tuple[Instant, str], ...]:
        """Return raw runs, the oldest first."""
        sql = (
            "SELECT at, digest FROM segments WHERE org = ? AND at < ? AND (at, digest) > (?, ?)"
            " ORDER BY at, digest LIMIT ?"
        )
        return tuple(self._runs.execute(sql, (self._org, at, *after, count)))


class SqliteRetentionWriting(SqliteRetentionReading):
    """What is kept no longer."""

    def put_retention(self, retention: Retention) -> None:
        """Keep how long things are kept."""
        self._control.execute("INSERT OR REPLACE INTO retention VALUES (?, ?)", (self._org, pack(retention)))

    def put_pin(self, pin: Pin) -> None:
        """Keep a pin."""
        self._control.execute("INSERT OR REPLACE INTO pins VALUES (?, ?, ?)", (self._org, pin.rollout, pack(pin)))

    def drop_pin(self, rollout_id: str) -> bool:
        """Drop a pin."""
        sql = "DELETE FROM pins WHERE org = ? AND rollout = ?"
        return self._control.execute(sql, (self._org, rollout_id)).rowcount > 0

    def drop_segments(self, digests: Iterable[str]) -> None:
        """Drop raw runs."""
        if not self._runs.in_transaction:
            self._runs.execute("BEGIN IMMEDIATE")
        rows = [(self._org, digest) for digest in digests]
        self._runs.executemany("DELETE FROM segments WHERE org = ? AND digest = ?", rows)

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop slots."""
        for table in _OF_SLOT:
            sql = f"DELETE FROM {table} WHERE org = ? AND app = ? AND number BETWEEN ? AND ?"  # noqa: S608 -- the tables of this file
            self._control.execute(sql, (self._org, app, first, last))

    def drop_batches(self, before: Instant, count: int) -> int:
        """Drop batches."""
        oldest = "SELECT rowid FROM batches WHERE org = ? AND at < ? ORDER BY at LIMIT ?"
        sql = f"DELETE FROM batches WHERE rowid IN ({oldest})"  # noqa: S608 -- the query of the line above
        return self._control.execute(sql, (self._org, before, count)).rowcount

    def drop_ids(self, before: Instant, count: int) -> int:
        """Drop marks of run ids."""
        old = "SELECT place FROM id_window WHERE org = ? AND at < ? LIMIT ?"
        dropped = self._control.execute(
            f"DELETE FROM id_window WHERE place IN ({old})",  # noqa: S608 -- the query of the line above
            (self._org, before, count),
        ).rowcount
        old = "SELECT app, mark FROM strict_ids WHERE org = ? AND at < ? LIMIT ?"
        dropped += self._control.execute(
            f"DELETE FROM strict_ids WHERE org = ? AND (app, mark) IN ({old})",  # noqa: S608 -- the query of the line above
            (self._org, self._org, before, count),
        ).rowcount
        return dropped
