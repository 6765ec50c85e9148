# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what an organisation has stored goes out as core values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lockgate.adapters.stores.sqlite.api_keys import SqliteApiKeysReading
from lockgate.adapters.stores.sqlite.cells import SqliteCellsReading
from lockgate.adapters.stores.sqlite.contents import SqliteContentsReading
from lockgate.adapters.stores.sqlite.listing import SqliteListing
from lockgate.adapters.stores.sqlite.outbox import SqliteOutboxReading
from lockgate.adapters.stores.sqlite.probes import SqliteProbesReading
from lockgate.adapters.stores.sqlite.replies import SqliteRepliesReading
from lockgate.adapters.stores.sqlite.retention import SqliteRetentionReading
from lockgate.adapters.stores.sqlite.run_ids import SqliteRunIdsReading
from lockgate.adapters.stores.sqlite.segments import SqliteSegmentsReading
from lockgate.adapters.stores.sqlite.soundness import SqliteSoundness
from lockgate.adapters.stores.sqlite.trust import SqliteTrustReading
from lockgate.adapters.stores.sqlite.vouchers import SqliteVouchersReading
from lockgate.core.app import App, Release
from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.core.merkle import Node, Tree, plan_tree
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.core.spine import Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError

_SLOT = "SELECT number, opened_at, seals_at, starts_at, sealed_at, digest FROM slots WHERE org = ? AND app = ?"


class SqliteSnapshot(
    SqliteSoundness,
    SqliteVouchersReading,
    SqliteTrustReading,
    SqliteCellsReading,
    SqliteContentsReading,
    SqliteOutboxReading,
    SqliteProbesReading,
    SqliteRetentionReading,
    SqliteRunIdsReading,
    SqliteSegmentsReading,
    SqliteApiKeysReading,
    SqliteRepliesReading,
    SqliteListing,
):
    """What one organisation has stored, as it was when the transaction began to read."""

    def app(self, name: str) -> App | None:
        """Return an app."""
        return self._one(App, "SELECT body FROM apps WHERE org = ? AND name = ?", name)

    def apps(self) -> tuple[App, ...]:
        """Return all apps by name."""
        return self._all(App, "SELECT body FROM apps WHERE org = ? ORDER BY name")

    def releases(self, app: str) -> tuple[Release, ...]:
        """Return the releases of an app."""
        sql = "SELECT name, first_seen_at FROM releases WHERE org = ? AND app = ? ORDER BY first_seen_at, name"
        return tuple(Release(app=app, name=name, first_seen_at=at) for name, at in self._rows(sql, app))

    def slots(self, app: str, after: int = -1, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots with a higher number."""
        return self._slots(f"{_SLOT} AND number > ? ORDER BY number LIMIT ?", app, after, _limit(limit))

    def last_slot(self, app: str) -> Slot | None:
        """Return the last slot."""
        return next(iter(self._slots(f"{_SLOT} ORDER BY number DESC LIMIT 1", app)), None)

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed."""
        return self._slots(f"{_SLOT} AND sealed_at IS NULL ORDER BY number LIMIT ?", app, _limit(limit))

    def _slots(self, sql: str, *keys: object) -> tuple[Slot, ...]:
        names = ("number", "opened_at", "seals_at", "starts_at", "sealed_at", "digest")
        return tuple(Slot(**dict(zip(names, row, strict=True))) for row in self._rows(sql, *keys))

    def segments(self, app: str, number: int) -> tuple[str, ...]:
        """Return the batches of a slot."""
        sql = "SELECT digest FROM slot_batches WHERE org = ? AND app = ? AND number = ? ORDER BY digest"
        return tuple(digest for (digest,) in self._rows(sql, app, number))

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch."""
        return self._one(Ingested, "SELECT body FROM batches WHERE org = ? AND digest = ?", digest)

    def ingested_of(self, digests: Collection[str]) -> Mapping[str, Ingested]:
        """Return what became of batches."""
        # Statements of this process's own file cost nothing by their number.
        found = ((digest, self.ingested(digest)) for digest in digests)
        return {digest: ingested for digest, ingested in found if ingested is not None}

    def policy(self, digest: str) -> Policy | None:
        """Return a policy."""
        return self._one(Policy, "SELECT body FROM policies WHERE org = ? AND digest = ?", digest)

    def rollouts(self, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
        """Return rollouts."""
        where = f"org = ?{'' if app is None else ' AND app = ?'}{' AND is_active' if active else ''}"
        keys = () if app is None else (app,)
        return self._all(Rollout, f"SELECT rollout FROM rollouts WHERE {where} ORDER BY rowid", *keys)  # noqa: S608 -- the conditions of the lines above

    def active_ids(self) -> tuple[str, ...]:
        """Return the ids of the rollouts that have not ended."""
        return tuple(
            name for (name,) in self._rows("SELECT id FROM rollouts WHERE org = ? AND is_active ORDER BY rowid")
        )

    def last_ticks(self) -> Mapping[str, Instant]:
        """Return when the rollouts that have not ended last took a turn."""
        return dict(self._rows("SELECT id, ticked_at FROM rollouts WHERE org = ? AND is_active"))

    def trial(self, rollout_id: str) -> Trial | None:
        """Return a rollout with its progress."""
        return self._one(Trial, "SELECT trial FROM rollouts WHERE org = ? AND id = ?", rollout_id)

    def folded(self, rollout_id: str, after: int) -> tuple[str, ...]:
        """Return the digests of buckets that were read."""
        sql = "SELECT digest FROM folded WHERE org = ? AND rollout = ? AND number > ? ORDER BY number"
        return tuple(digest for (digest,) in self._rows(sql, rollout_id, after))

    def looks(self, rollout_id: str, after: int = 0) -> tuple[Look, ...]:
        """Return looks."""
        sql = "SELECT body FROM looks WHERE org = ? AND rollout = ? AND number > ? ORDER BY number"
        return self._all(Look, sql, rollout_id, after)

    def receipts(self, rollout_id: str, after: int = 0) -> tuple[Receipt, ...]:
        """Return receipts."""
        sql = "SELECT body FROM receipts WHERE org = ? AND rollout = ? AND seq > ? ORDER BY seq"
        return self._all(Receipt, sql, rollout_id, after)

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""
        return self._one(Receipt, "SELECT body FROM receipts WHERE org = ? AND id = ?", receipt_id)

    def latest_receipt(self, rollout_id: str | None = None) -> Receipt | None:
        """Return the last receipt of the log, or of a rollout."""
        if rollout_id is None:
            return self._one(Receipt, "SELECT body FROM receipts WHERE org = ? ORDER BY log_index DESC LIMIT 1")
        sql = "SELECT body FROM receipts WHERE org = ? AND rollout = ? ORDER BY seq DESC LIMIT 1"
        return self._one(Receipt, sql, rollout_id)

    def tree(self) -> Tree:
        """Return the tree of the log."""
        size = self._size()
        peaks = plan_tree(size)
        kept = self.nodes(peaks)
        return Tree(size, tuple(kept[node] for node in peaks))

    def _size(self) -> int:
        size: int = self._rows("SELECT coalesce(max(log_index) + 1, 0) FROM receipts WHERE org = ?")[0][0]
        return size

    def nodes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return nodes of the log."""
        sql = "SELECT hash FROM nodes WHERE org = ? AND level = ? AND position = ?"
        found = {node: self._rows(sql, node.level, node.position) for node in wanted}
        missing = next((node for node, rows in found.items() if not rows), None)
        if missing is not None:
            raise UnsoundError(
                f"node {missing.position} of level {missing.level} of the log is not there",
                advice="`lockgate fsck --repair --yes` makes it again from the entries, where checkpoints prove those; "
                "else put the store back from a backup.",
            )
        return {node: rows[0][0] for node, rows in found.items()}

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return a checkpoint."""
        if size is None:
            rows = self._rows("SELECT note FROM checkpoints WHERE org = ? ORDER BY size DESC LIMIT 1")
        else:
            rows = self._rows("SELECT note FROM checkpoints WHERE org = ? AND size = ?", size)
        return rows[0][0] if rows else None


def _limit(limit: int | None) -> int:
    # SQLite takes a negative number for none.
    return -1 if limit is None else limit
