# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; what an organisation has stored goes out as core values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.postgres.ahead import LATEST, read_slot
from lockgate.adapters.stores.postgres.api_keys import PostgresApiKeysReading
from lockgate.adapters.stores.postgres.cells import PostgresCellsReading
from lockgate.adapters.stores.postgres.contents import PostgresContentsReading
from lockgate.adapters.stores.postgres.listing import PostgresListing
from lockgate.adapters.stores.postgres.outbox import PostgresOutboxReading
from lockgate.adapters.stores.postgres.probes import PostgresProbesReading
from lockgate.adapters.stores.postgres.replies import PostgresRepliesReading
from lockgate.adapters.stores.postgres.retention import PostgresRetentionReading
from lockgate.adapters.stores.postgres.run_ids import PostgresRunIdsReading
from lockgate.adapters.stores.postgres.soundness import PostgresSoundness
from lockgate.adapters.stores.postgres.trust import PostgresTrustReading
from lockgate.adapters.stores.postgres.vouchers import PostgresVouchersReading
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

_SLOT = "SELECT number, opened_at, seals_at, starts_at, sealed_at, digest FROM slots WHERE org = %s AND app = %s"


class PostgresSnapshot(
    PostgresSoundness,
    PostgresVouchersReading,
    PostgresCellsReading,
    PostgresContentsReading,
    PostgresListing,
    PostgresOutboxReading,
    PostgresProbesReading,
    PostgresRetentionReading,
    PostgresRunIdsReading,
    PostgresApiKeysReading,
    PostgresRepliesReading,
    PostgresTrustReading,
):
    """What one organisation has stored, as the transaction sees it."""

    def app(self, name: str) -> App | None:
        """Return an app."""
        return self._one(App, "SELECT body FROM apps WHERE org = %s AND name = %s", name)

    def apps(self) -> tuple[App, ...]:
        """Return all apps by name."""
        return self._all(App, "SELECT body FROM apps WHERE org = %s ORDER BY name")

    def releases(self, app: str) -> tuple[Release, ...]:
        """Return the releases of an app."""
        sql = "SELECT name, first_seen_at FROM releases WHERE org = %s AND app = %s ORDER BY first_seen_at, name"
        return tuple(Release(app=app, name=name, first_seen_at=at) for name, at in self._rows(sql, app))

    def slots(self, app: str, after: int = -1, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots with a higher number."""
        return self._slots(f"{_SLOT} AND number > %s ORDER BY number LIMIT %s", app, after, limit)

    def last_slot(self, app: str) -> Slot | None:
        """Return the last slot."""
        return next(iter(self._slots(f"{_SLOT} ORDER BY number DESC LIMIT 1", app)), None)

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed."""
        return self._slots(f"{_SLOT} AND sealed_at IS NULL ORDER BY number LIMIT %s", app, limit)

    def _slots(self, sql: str, *keys: object) -> tuple[Slot, ...]:
        return tuple(read_slot(row) for row in self._rows(sql, *keys))

    def segments(self, app: str, number: int) -> tuple[str, ...]:
        """Return the batches of a slot."""
        sql = "SELECT digest FROM slot_batches WHERE org = %s AND app = %s AND number = %s ORDER BY digest"
        return tuple(digest for (digest,) in self._rows(sql, app, number))

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch."""
        return self._one(Ingested, "SELECT body FROM batches WHERE org = %s AND digest = %s", digest)

    def ingested_of(self, digests: Collection[str]) -> Mapping[str, Ingested]:
        """Return what became of batches."""
        sql = "SELECT digest, body FROM batches WHERE org = %s AND digest = ANY(%s::text[])"
        return {digest: unpack(Ingested, body) for digest, body in self._rows(sql, list(digests))}

    def policy(self, digest: str) -> Policy | None:
        """Return a policy."""
        return self._one(Policy, "SELECT body FROM policies WHERE org = %s AND digest = %s", digest)

    def rollouts(self, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
        """Return rollouts."""
        sql = (
            "SELECT rollout FROM rollouts WHERE org = %s AND (%s::text IS NULL OR app = %s) AND is_active >= %s"
            " ORDER BY place"
        )
        return self._all(Rollout, sql, app, app, int(active))

    def active_ids(self) -> tuple[str, ...]:
        """Return the ids of the rollouts that have not ended."""
        sql = "SELECT id FROM rollouts WHERE org = %s AND is_active = 1 ORDER BY place"
        return tuple(name for (name,) in self._rows(sql))

    def last_ticks(self) -> Mapping[str, Instant]:
        """Return when the rollouts that have not ended last took a turn."""
        return dict(self._rows("SELECT id, ticked_at FROM rollouts WHERE org = %s AND is_active = 1"))

    def trial(self, rollout_id: str) -> Trial | None:
        """Return a rollout with its progress."""
        return self._one(Trial, "SELECT trial FROM rollouts WHERE org = %s AND id = %s", rollout_id)

    def folded(self, rollout_id: str, after: int) -> tuple[str, ...]:
        """Return the digests of buckets that were read."""
        sql = "SELECT digest FROM folded WHERE org = %s AND rollout = %s AND number > %s ORDER BY number"
        return tuple(digest for (digest,) in self._rows(sql, rollout_id, after))

    def looks(self, rollout_id: str, after: int = 0) -> tuple[Look, ...]:
        """Return looks."""
        sql = "SELECT body FROM looks WHERE org = %s AND rollout = %s AND number > %s ORDER BY number"
        return self._all(Look, sql, rollout_id, after)

    def receipts(self, rollout_id: str, after: int = 0) -> tuple[Receipt, ...]:
        """Return receipts."""
        sql = "SELECT body FROM receipts WHERE org = %s AND rollout = %s AND seq > %s ORDER BY seq"
        return self._all(Receipt, sql, rollout_id, after)

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""
        return self._one(Receipt, "SELECT body FROM receipts WHERE org = %s AND id = %s", receipt_id)

    def latest_receipt(self, rollout_id: str | None = None) -> Receipt | None:
        """Return the last receipt of the log, or of a rollout."""
        if rollout_id is None:
            return self._one(Receipt, "SELECT body FROM receipts WHERE org = %s ORDER BY log_index DESC LIMIT 1")
        sql = "SELECT body FROM receipts WHERE org = %s AND rollout = %s ORDER BY seq DESC LIMIT 1"
        return self._one(Receipt, sql, rollout_id)

    def tree(self) -> Tree:
        """Return the tree of the log."""
        size = self._size()
        peaks = plan_tree(size)
        kept = self.nodes(peaks)
        return Tree(size, tuple(kept[node] for node in peaks))

    def _size(self) -> int:
        return int(self._rows("SELECT coalesce(max(log_index) + 1, 0) FROM receipts WHERE org = %s")[0][0])

    def nodes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return nodes of the log."""
        asked = tuple(wanted)
        found = self.hashes_of(asked)
        missing = next((node for node in asked if node not in found), None)
        if missing is not None:
            raise UnsoundError(
                f"node {missing.position} of level {missing.level} of the log is not there",
                advice="`lockgate fsck --repair --yes` makes it again from the entries, where checkpoints prove those; "
                "else put the store back from a backup.",
            )
        return found

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return a checkpoint."""
        if size is None:
            rows = self._rows(LATEST)
        else:
            rows = self._rows("SELECT note FROM checkpoints WHERE org = %s AND size = %s", size)
        return bytes(rows[0][0]) if rows else None
