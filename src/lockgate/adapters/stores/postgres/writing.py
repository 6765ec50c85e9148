# SPDX-License-Identifier: Apache-2.0
"""A connection inside a write transaction, and core values, come in; rows that stay when it is committed go out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import cast

from psycopg import errors

from lockgate.adapters.stores import segment
from lockgate.adapters.stores.id_window import IdWindows
from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.postgres.ahead import Ahead
from lockgate.adapters.stores.postgres.api_keys import PostgresApiKeysWriting
from lockgate.adapters.stores.postgres.cells import PostgresCellsWriting
from lockgate.adapters.stores.postgres.connections import Link
from lockgate.adapters.stores.postgres.contents import PostgresContentsWriting
from lockgate.adapters.stores.postgres.locks import lock
from lockgate.adapters.stores.postgres.outbox import PostgresOutboxWriting
from lockgate.adapters.stores.postgres.probes import PostgresProbesWriting
from lockgate.adapters.stores.postgres.refusals import failed_before
from lockgate.adapters.stores.postgres.replies import PostgresRepliesWriting
from lockgate.adapters.stores.postgres.retention import PostgresRetentionWriting
from lockgate.adapters.stores.postgres.run_ids import PostgresRunIds
from lockgate.adapters.stores.postgres.spines import PostgresSpines
from lockgate.adapters.stores.postgres.trust import PostgresTrustWriting
from lockgate.adapters.stores.postgres.vouchers import PostgresVouchersWriting
from lockgate.adapters.stores.refusals import check_alone, held_already, overtaken, uncovered
from lockgate.core.app import App, Release
from lockgate.core.batch import Ingested
from lockgate.core.merkle import Node
from lockgate.core.policy.policy import Policy
from lockgate.core.reply import Reply
from lockgate.core.spine import Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt

_RELEASES = "INSERT INTO releases SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING"
# Raw runs of a batch that was pruned may be there still; they are the same, and as old as the batch that came again.
_BATCH = (
    "WITH held AS (INSERT INTO segments VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (org, digest) DO UPDATE SET at = excluded.at),"
    " placed AS (INSERT INTO slot_batches SELECT %s, app, number, %s"
    " FROM unnest(%s::text[], %s::bigint[]) AS place (app, number))"
    " INSERT INTO batches VALUES (%s, %s, %s, %s)"
)
_BEGIN_PART = ("SAVEPOINT part", ())
# Turns what PostgreSQL says within its block into what a person can act on.
Explained = Callable[[], AbstractContextManager[None]]


class PostgresTransaction(
    PostgresRepliesWriting,
    PostgresCellsWriting,
    PostgresVouchersWriting,
    PostgresContentsWriting,
    PostgresOutboxWriting,
    PostgresProbesWriting,
    PostgresRunIds,
    PostgresRetentionWriting,
    PostgresApiKeysWriting,
    PostgresTrustWriting,
    PostgresSpines,
):
    """A snapshot that sees its own writes; what it locked first, nobody else writes while it lasts."""

    def __init__(
        self, link: Link, org: str, explained: Explained, windows: IdWindows, spines: Sequence[str] | None
    ) -> None:
        super().__init__(link, org)
        self._explained = explained
        self._windows = windows
        self._is_alone = spines is None
        self._ahead = Ahead()
        self._look_anew()
        self._has_grown = False
        # The log grows by nobody else, so that its size is asked for once; and which size a checkpoint covers.
        self._log_size: int | None = None
        self._covered: int | None = None

    def take_ahead(self, ahead: Ahead) -> None:
        """Take what was read of the spines when they were locked."""
        self._ahead = ahead

    def put_app(self, app: App) -> None:
        """Keep an app."""
        # Runs change an app at every batch, which is news to nobody.
        self._has_news = self._has_news or self._is_alone
        sql = "INSERT INTO apps VALUES (%s, %s, %s) ON CONFLICT (org, name) DO UPDATE SET body = excluded.body"
        self._later(sql, app.name, pack(app))
        self._ahead.apps[app.name] = app

    def put_release(self, release: Release) -> None:
        """Keep a release."""
        if not self._waiting or self._waiting[-1][0] is not _RELEASES:
            self._later(_RELEASES, [], [], [])
        columns = cast("Sequence[list[object]]", self._waiting[-1][1][1:])
        for column, value in zip(columns, (release.app, release.name, release.first_seen_at), strict=True):
            column.append(value)

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot."""
        row = (app, slot.number, slot.opened_at, slot.seals_at, slot.starts_at, slot.sealed_at, slot.digest)
        sql = (
            "INSERT INTO slots VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (org, app, number) DO UPDATE"
            " SET opened_at = excluded.opened_at, seals_at = excluded.seals_at, sealed_at = excluded.sealed_at,"
            " digest = excluded.digest"
        )
        self._later(sql, *row)
        self._ahead.forget(app)

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch."""
        key, places = (self._org, ingested.digest, ingested.at), list(slots)
        of_slots = (self._org, ingested.digest, [app for app, _ in places], [number for _, number in places])
        self._waiting.append((_BATCH, (*key, segment.compress(body), *of_slots, *key, pack(ingested))))

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch, before anybody else who asks for it while this transaction lasts."""
        if not self._is_alone:
            # The same bytes may come for other apps at the same moment.
            self._waiting.append(lock(self._org, "batch", digest))
        return super().ingested(digest)

    def ingested_of(self, digests: Collection[str]) -> Mapping[str, Ingested]:
        """Return what became of batches, before anybody else who asks for one of them while this transaction lasts."""
        if not self._is_alone:
            # In one order, so that of two groups neither waits for what the other holds.
            self._waiting += sorted({lock(self._org, "batch", digest) for digest in digests})
        return super().ingested_of(digests)

    def reply(self, key: str) -> Reply | None:
        """Return a reply, before anybody else who asks for it while this transaction lasts."""
        if not self._is_alone:
            self._waiting.append(lock(self._org, "reply", key))
        return super().reply(key)

    def drop_slots(self, app: str, first: int, last: int) -> None:
        """Drop slots."""
        super().drop_slots(app, first, last)
        self._ahead.forget(app)

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy."""
        self._later("INSERT INTO policies VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", policy.digest(), pack(policy))

    def save(self, trial: Trial) -> None:
        """Keep a trial."""
        check_alone(is_alone=self._is_alone)
        self._has_news = True
        rollout = trial.rollout
        row = (
            *(rollout.app, rollout.mode.value, int(not rollout.is_terminal), rollout.revision, float(rollout.weight)),
            *(trial.turn, trial.ticked_at, pack(rollout), pack(trial)),
        )
        try:
            if trial.turn == 1:
                sql = "INSERT INTO rollouts VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                changed = self._change(sql, rollout.id, *row)
            else:
                sql = (
                    "UPDATE rollouts SET app = %s, mode = %s, is_active = %s, revision = %s, weight = %s, turn = %s,"
                    " ticked_at = %s, rollout = %s, trial = %s WHERE org = %s AND id = %s AND turn = %s"
                )
                changed = self._carry_out([(sql, (*row, self._org, rollout.id, trial.turn - 1))])[0].rowcount
        except errors.UniqueViolation as error:
            if error.diag.table_name != "rollouts":
                raise
            raise overtaken(rollout.id) from error
        if changed != 1:
            raise overtaken(rollout.id)

    def add_folded(self, rollout_id: str, buckets: Iterable[tuple[int, str]]) -> None:
        """Keep buckets that were read."""
        rows = list(buckets)
        if rows:
            sql = "INSERT INTO folded SELECT %s, %s, * FROM unnest(%s::bigint[], %s::text[])"
            self._later(sql, rollout_id, [number for number, _ in rows], [digest for _, digest in rows])

    def add_look(self, rollout_id: str, look: Look) -> None:
        """Keep a look."""
        self._later("INSERT INTO looks VALUES (%s, %s, %s, %s)", rollout_id, look.number, pack(look))

    @contextmanager
    def part(self) -> Iterator[None]:
        """Open a part."""
        if self._link.closed:
            raise failed_before()
        with self._explained():
            if self._waiting:
                # What was written before is heard of before, so that it is not taken for a fault of the part.
                self._carry_out([])
            self._waiting.append(_BEGIN_PART)
            try:
                yield
                self._carry_out([("RELEASE part", ())])
            except BaseException:
                is_begun = _BEGIN_PART not in self._waiting
                self._waiting, self._log_size, self._covered = [], None, None
                self._ahead = Ahead()
                self._look_anew()
                if is_begun and not self._link.closed:
                    self._carry_out([("ROLLBACK TO part", ()), ("RELEASE part", ())])
                raise

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]]) -> None:
        """Append a receipt."""
        check_alone(is_alone=self._is_alone)
        if receipt.index != self._size():
            raise held_already("log", receipt.index)
        row = (receipt.rollout_id, receipt.seq, receipt.id, receipt.index, pack(receipt))
        self._later("INSERT INTO receipts VALUES (%s, %s, %s, %s, %s, %s)", *row)
        for node, hashed in nodes:
            self._later("INSERT INTO nodes VALUES (%s, %s, %s, %s)", node.level, node.position, hashed)
        self._has_grown, self._log_size = True, receipt.index + 1

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a checkpoint."""
        if size != self._size():
            raise uncovered(size)
        self._later("INSERT INTO checkpoints VALUES (%s, %s, %s)", size, note)
        self._covered, self._ahead.latest = size, None

    def check_cover(self) -> None:
        """Refuse to be kept while receipts stand in the log that no checkpoint covers."""
        size = self._size() if self._has_grown else 0
        if size and size != self._covered and self.checkpoint(size) is None:
            raise uncovered(size)

    def commit(self, channel: str) -> str | None:
        """Send what waits and end the transaction; return what PostgreSQL says that it did."""
        if self._has_news:
            self._waiting.append(("SELECT pg_notify(%s, %s)", (channel, self._org)))
        return self._carry_out([("COMMIT", ())])[0].statusmessage

    def _size(self) -> int:
        if self._log_size is None:
            self._log_size = super()._size()
        return self._log_size
