# SPDX-License-Identifier: Apache-2.0
"""A connection inside a write transaction, and core values, come in; rows that stay when it is committed go out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lockgate.adapters.stores.id_window import IdWindows
from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.refusals import check_alone, held_already, overtaken, sealed_already, uncovered
from lockgate.adapters.stores.sqlite.api_keys import SqliteApiKeysWriting
from lockgate.adapters.stores.sqlite.cells import SqliteCellsWriting
from lockgate.adapters.stores.sqlite.contents import SqliteContentsWriting
from lockgate.adapters.stores.sqlite.outbox import SqliteOutboxWriting
from lockgate.adapters.stores.sqlite.probes import SqliteProbesWriting
from lockgate.adapters.stores.sqlite.reading import SqliteSnapshot
from lockgate.adapters.stores.sqlite.replies import SqliteRepliesWriting
from lockgate.adapters.stores.sqlite.retention import SqliteRetentionWriting
from lockgate.adapters.stores.sqlite.run_ids import SqliteRunIds
from lockgate.adapters.stores.sqlite.segments import SqliteSegmentsWriting
from lockgate.adapters.stores.sqlite.trust import SqliteTrustWriting
from lockgate.adapters.stores.sqlite.vouchers import SqliteVouchersWriting
from lockgate.core.app import App, Release
from lockgate.core.batch import Ingested
from lockgate.core.merkle import Node
from lockgate.core.policy.policy import Policy
from lockgate.core.spine import Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt
from lockgate.errors import UnreachableError

# Turns what SQLite says within its block into what a person can act on.
Explained = Callable[[], AbstractContextManager[None]]


class SqliteTransaction(
    SqliteSnapshot,
    SqliteTrustWriting,
    SqliteCellsWriting,
    SqliteVouchersWriting,
    SqliteContentsWriting,
    SqliteOutboxWriting,
    SqliteProbesWriting,
    SqliteRunIds,
    SqliteRetentionWriting,
    SqliteSegmentsWriting,
    SqliteApiKeysWriting,
    SqliteRepliesWriting,
):
    """A snapshot that sees its own writes."""

    def __init__(
        self, control: sqlite3.Connection, runs: sqlite3.Connection, org: str, explained: Explained, windows: IdWindows
    ) -> None:
        super().__init__(control, runs, org)
        self._explained = explained
        self._windows = windows
        self._held, self._own = {}, {}
        self._has_grown = False
        # Whether no other transaction runs beside it, by what was asked for: SQLite has one writer at a time anyway.
        self.is_alone = True

    def put_app(self, app: App) -> None:
        """Keep an app."""
        self._change("INSERT OR REPLACE INTO apps VALUES (?, ?, ?)", app.name, pack(app))

    def put_release(self, release: Release) -> None:
        """Keep a release."""
        row = (release.app, release.name, release.first_seen_at)
        self._change("INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?)", *row)

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot."""
        row = (app, slot.number, slot.opened_at, slot.seals_at, slot.starts_at, slot.sealed_at, slot.digest)
        sql = (
            "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET opened_at = excluded.opened_at, seals_at = excluded.seals_at, sealed_at = excluded.sealed_at,"
            " digest = excluded.digest"
        )
        try:
            self._change(sql, *row)
        except sqlite3.IntegrityError as error:
            raise sealed_already(app, slot.number) from error

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch."""
        self._add_segment(ingested, body)
        row = (ingested.digest, ingested.at, pack(ingested))
        self._add("batches", ingested.digest, "INSERT INTO batches VALUES (?, ?, ?, ?)", *row)
        for app, number in slots:
            self._change("INSERT INTO slot_batches VALUES (?, ?, ?, ?)", app, number, ingested.digest)

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy."""
        self._change("INSERT OR IGNORE INTO policies VALUES (?, ?, ?)", policy.digest(), pack(policy))

    def save(self, trial: Trial) -> None:
        """Keep a trial."""
        check_alone(is_alone=self.is_alone)
        rollout = trial.rollout
        row = (rollout.app, rollout.mode.value, not rollout.is_terminal, rollout.revision, rollout.weight, trial.turn)
        bodies = (trial.ticked_at, pack(rollout), pack(trial))
        sql = (
            "INSERT INTO rollouts SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE ?"
            if trial.turn == 1
            else "UPDATE rollouts SET app = ?, mode = ?, is_active = ?, revision = ?, weight = ?, turn = ?,"
            " ticked_at = ?, rollout = ?, trial = ? WHERE org = ? AND id = ? AND turn = ?"
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

    @contextmanager
    def part(self) -> Iterator[None]:
        """Open a part."""
        if not self._control.in_transaction:
            # SQLite itself has ended the transaction, and a savepoint would begin another.
            raise UnreachableError("the store failed in the middle of a transaction", advice="Nothing was stored.")
        with self._explained():
            self._control.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                if self._control.in_transaction:
                    self._control.execute("ROLLBACK TO part")
                    self._control.execute("RELEASE part")
                raise
            self._control.execute("RELEASE part")

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]]) -> None:
        """Append a receipt."""
        check_alone(is_alone=self.is_alone)
        if receipt.index != self._size():
            raise held_already("log", receipt.index)
        row = (receipt.rollout_id, receipt.seq, receipt.id, receipt.index, pack(receipt))
        self._add("receipts", receipt.id, "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)", *row)
        for node, hashed in nodes:
            self._add("nodes", node, "INSERT INTO nodes VALUES (?, ?, ?, ?)", node.level, node.position, hashed)
        self._has_grown = True

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a checkpoint."""
        if size != self._size():
            raise uncovered(size)
        self._add("checkpoints", size, "INSERT INTO checkpoints VALUES (?, ?, ?)", size, note)

    def check_cover(self) -> None:
        """Refuse to be kept while receipts stand in the log that no checkpoint covers."""
        size = self._size() if self._has_grown else 0
        if size and self.checkpoint(size) is None:
            raise uncovered(size)
