# SPDX-License-Identifier: Apache-2.0
"""A connection inside a write transaction, and core values, come in; rows that stay when it is committed go out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from lockgate.adapters.stores import segment
from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.refusals import held_already, overtaken, sealed_already
from lockgate.adapters.stores.sqlite_reading import SqliteSnapshot
from lockgate.core.app import App, Release
from lockgate.core.batch import Ingested
from lockgate.core.merkle import Node
from lockgate.core.outbox import Message
from lockgate.core.policy.policy import Policy
from lockgate.core.spine import Cell, Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt


class SqliteTransaction(SqliteSnapshot):
    """A snapshot that sees its own writes."""

    def _put(self, sql: str, *row: object) -> None:
        self._control.execute(sql, (self._org, *row))

    def _add(self, table: str, key: object, sql: str, *row: object) -> None:
        try:
            self._control.execute(sql, (self._org, *row))
        except sqlite3.IntegrityError as error:
            raise held_already(table, key) from error

    def put_app(self, app: App) -> None:
        """Keep an app."""
        self._put("INSERT OR REPLACE INTO apps VALUES (?, ?, ?)", app.name, pack(app))

    def put_release(self, release: Release) -> None:
        """Keep a release."""
        row = (release.app, release.name, release.first_seen_at)
        self._put("INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?)", *row)

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot."""
        row = (app, slot.number, slot.opened_at, slot.seals_at, slot.starts_at, slot.sealed_at, slot.digest)
        sql = (
            "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET seals_at = excluded.seals_at, sealed_at = excluded.sealed_at, digest = excluded.digest"
        )
        try:
            self._put(sql, *row)
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, slot.number) from error

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells."""
        sql = "INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
        for cell in cells:
            try:
                self._put(sql, app, cell.number, cell.release, msgspec.msgpack.encode(cell.labels), pack(cell.bucket))
            except sqlite3.IntegrityError as error:
                raise sealed_already(app, cell.number) from error

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch."""
        if not self._runs.in_transaction:
            self._runs.execute("BEGIN IMMEDIATE")
        # A batch whose commit failed left its bytes here, and they are the same.
        kept = (self._org, ingested.digest, ingested.at, segment.compress(body))
        self._runs.execute("INSERT OR IGNORE INTO segments VALUES (?, ?, ?, ?)", kept)
        row = (ingested.digest, ingested.at, pack(ingested))
        self._add("batches", ingested.digest, "INSERT INTO batches VALUES (?, ?, ?, ?)", *row)
        for app, number in slots:
            self._put("INSERT INTO slot_batches VALUES (?, ?, ?, ?)", app, number, ingested.digest)

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy."""
        self._put("INSERT OR IGNORE INTO policies VALUES (?, ?, ?)", policy.digest(), pack(policy))

    def save(self, trial: Trial) -> None:
        """Keep a trial."""
        rollout = trial.rollout
        row = (rollout.app, rollout.mode.value, not rollout.is_terminal, rollout.revision, rollout.weight, trial.turn)
        bodies = (pack(rollout), pack(trial))
        sql = (
            "INSERT INTO rollouts SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ?"
            if trial.turn == 1
            else "UPDATE rollouts SET app = ?, mode = ?, is_active = ?, revision = ?, weight = ?, turn = ?,"
            " rollout = ?, trial = ? WHERE org = ? AND id = ? AND turn = ?"
        )
        key = (self._org, rollout.id)
        values = (*key, *row, *bodies, 1) if trial.turn == 1 else (*row, *bodies, *key, trial.turn - 1)
        try:
            changed = self._control.execute(sql, values).rowcount
        except sqlite3.IntegrityError as error:
            raise overtaken(rollout.id) from error
        if changed != 1:
            raise overtaken(rollout.id)

    def add_folded(self, rollout_id: str, buckets: Iterable[tuple[int, str]]) -> None:
        """Keep buckets that were read."""
        for number, digest in buckets:
            self._add("folded", number, "INSERT INTO folded VALUES (?, ?, ?, ?)", rollout_id, number, digest)

    def add_look(self, rollout_id: str, look: Look) -> None:
        """Keep a look."""
        self._add("looks", look.number, "INSERT INTO looks VALUES (?, ?, ?, ?)", rollout_id, look.number, pack(look))

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]], checkpoint: bytes) -> None:
        """Append a receipt."""
        if receipt.index != self.tree().size:
            raise held_already("log", receipt.index)
        row = (receipt.rollout_id, receipt.seq, receipt.id, receipt.index, pack(receipt))
        self._add("receipts", receipt.id, "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)", *row)
        for node, hashed in nodes:
            self._add("nodes", node, "INSERT INTO nodes VALUES (?, ?, ?, ?)", node.level, node.position, hashed)
        size = receipt.index + 1
        self._add("checkpoints", size, "INSERT INTO checkpoints VALUES (?, ?, ?)", size, checkpoint)

    def put_message(self, message: Message) -> None:
        """Keep a message."""
        sql = (
            "INSERT INTO messages (org, id, is_due, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (org, id) DO UPDATE SET is_due = excluded.is_due, body = excluded.body"
        )
        self._put(sql, message.id, message.delivered_at is None, pack(message))
