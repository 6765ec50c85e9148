# SPDX-License-Identifier: Apache-2.0
"""Core values come in to be kept for as long as the process lives; the same values go out.

A transaction works on copies of the tables that it writes to, and puts them in place on leaving.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lockgate.adapters.stores.memory.api_keys import (
    TABLE as API_KEYS,
)
from lockgate.adapters.stores.memory.api_keys import (
    MemoryApiKeysReading,
    MemoryApiKeysWriting,
)
from lockgate.adapters.stores.memory.cells import MemoryCellsReading, MemoryCellsWriting
from lockgate.adapters.stores.memory.contents import MemoryContentsReading, MemoryContentsWriting
from lockgate.adapters.stores.memory.listing import MemoryListing
from lockgate.adapters.stores.memory.outbox import MemoryOutboxReading, MemoryOutboxWriting
from lockgate.adapters.stores.memory.probes import MemoryProbesReading, MemoryProbesWriting
from lockgate.adapters.stores.memory.replies import MemoryRepliesReading, MemoryRepliesWriting
from lockgate.adapters.stores.memory.retention import MemoryRetentionReading, MemoryRetentionWriting
from lockgate.adapters.stores.memory.run_ids import MemoryRunIds, MemoryRunIdsReading
from lockgate.adapters.stores.memory.soundness import MemorySoundness
from lockgate.adapters.stores.memory.tables import Tables
from lockgate.adapters.stores.memory.trust import MemoryTrustReading, MemoryTrustWriting
from lockgate.adapters.stores.memory.vouchers import MemoryVouchersReading, MemoryVouchersWriting
from lockgate.adapters.stores.refusals import check_alone, held_already, overtaken, sealed_already, uncovered
from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG, App, Release
from lockgate.core.batch import Ingested
from lockgate.core.instant import Instant
from lockgate.core.merkle import Node, Tree, plan_tree
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.core.spine import Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt


class MemoryStore:
    """A store without a disk, for tests and for learning."""

    def __init__(self) -> None:
        self._kept: dict[str, Tables] = {}
        self._turn = threading.Lock()

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[MemorySnapshot]:
        """Open a snapshot."""
        yield MemorySnapshot(self._kept.get(org, {}))

    @contextmanager
    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> Iterator[MemoryTransaction]:
        """Open a transaction."""
        with self._turn:
            work = MemoryTransaction(dict(self._kept.get(org, {})), _is_alone=spines is None)
            yield work
            work.check_cover()
            self._kept = {**self._kept, org: work.tables}

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        of_orgs = (tables.get((API_KEYS, ""), {}) for tables in self._kept.values())
        return next((keys[key_id] for keys in of_orgs if key_id in keys), None)

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations that have an API key."""
        return tuple(sorted(org for org, tables in self._kept.items() if tables.get((API_KEYS, ""))))

    def give_back(self) -> None:
        """Do nothing: memory is not of a disk."""


class MemorySnapshot(
    MemorySoundness,
    MemoryTrustReading,
    MemoryVouchersReading,
    MemoryCellsReading,
    MemoryContentsReading,
    MemoryOutboxReading,
    MemoryProbesReading,
    MemoryRetentionReading,
    MemoryRunIdsReading,
    MemoryApiKeysReading,
    MemoryRepliesReading,
    MemoryListing,
):
    """Tables that nobody writes to."""

    __slots__ = ()

    def app(self, name: str) -> App | None:
        """Return an app."""
        return self._table("apps").get(name)

    def apps(self) -> tuple[App, ...]:
        """Return all apps by name."""
        return tuple(app for _, app in sorted(self._table("apps").items()))

    def releases(self, app: str) -> tuple[Release, ...]:
        """Return the releases of an app."""
        return tuple(sorted(self._table("releases", app).values(), key=lambda each: (each.first_seen_at, each.name)))

    def slots(self, app: str, after: int = -1, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots with a higher number."""
        return _later(self._table("slots", app), after, limit)

    def last_slot(self, app: str) -> Slot | None:
        """Return the last slot."""
        slots = self._table("slots", app)
        return slots[next(reversed(slots))] if slots else None

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed."""
        found: list[Slot] = []
        # They stand at the end, because slots are sealed in order.
        for slot in reversed(tuple(self._table("slots", app).values())):
            if slot.is_sealed:
                break
            found.append(slot)
        return tuple(reversed(found))[:limit]

    def segments(self, app: str, number: int) -> tuple[str, ...]:
        """Return the batches of a slot."""
        return tuple(self._table(f"segments {number}", app))

    def segment(self, digest: str) -> bytes | None:
        """Return the bytes of a batch."""
        return self._table("bodies").get(digest)

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch."""
        return self._table("batches").get(digest)

    def ingested_of(self, digests: Collection[str]) -> Mapping[str, Ingested]:
        """Return what became of batches."""
        held = self._table("batches")
        return {digest: held[digest] for digest in digests if digest in held}

    def policy(self, digest: str) -> Policy | None:
        """Return a policy."""
        return self._table("policies").get(digest)

    def rollouts(self, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
        """Return rollouts."""
        found = (trial.rollout for trial in self._table("trials").values())
        return tuple(each for each in found if (app is None or each.app == app) and not (active and each.is_terminal))

    def active_ids(self) -> tuple[str, ...]:
        """Return the ids of the rollouts that have not ended."""
        return tuple(rollout.id for rollout in self.rollouts(active=True))

    def last_ticks(self) -> Mapping[str, Instant]:
        """Return when the rollouts that have not ended last took a turn."""
        return {name: each.ticked_at for name, each in self._table("trials").items() if not each.rollout.is_terminal}

    def trial(self, rollout_id: str) -> Trial | None:
        """Return a rollout with its progress."""
        return self._table("trials").get(rollout_id)

    def folded(self, rollout_id: str, after: int) -> tuple[str, ...]:
        """Return the digests of buckets that were read."""
        return _later(self._table("folded", rollout_id), after)

    def looks(self, rollout_id: str, after: int = 0) -> tuple[Look, ...]:
        """Return looks."""
        return _later(self._table("looks", rollout_id), after)

    def receipts(self, rollout_id: str, after: int = 0) -> tuple[Receipt, ...]:
        """Return receipts."""
        return _later(self._table("receipts", rollout_id), after)

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""
        return self._table("by id").get(receipt_id)

    def latest_receipt(self, rollout_id: str | None = None) -> Receipt | None:
        """Return the last receipt of the log, or of a rollout."""
        if rollout_id is not None:
            kept = self._table("receipts", rollout_id)
            return kept[next(reversed(kept))] if kept else None
        log = self._table("log")
        return self.receipt(log[len(log) - 1]) if log else None

    def tree(self) -> Tree:
        """Return the tree of the log."""
        size = len(self._table("log"))
        peaks = plan_tree(size)
        kept = self.nodes(peaks)
        return Tree(size, tuple(kept[node] for node in peaks))

    def nodes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return nodes of the log."""
        nodes = self._table("nodes")
        return {node: nodes[node] for node in wanted}

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return a checkpoint."""
        notes = self._table("checkpoints")
        return notes.get(next(reversed(notes), 0) if size is None else size)


@dataclass(slots=True)
class MemoryTransaction(
    MemorySnapshot,
    MemoryTrustWriting,
    MemoryVouchersWriting,
    MemoryCellsWriting,
    MemoryContentsWriting,
    MemoryOutboxWriting,
    MemoryProbesWriting,
    MemoryRunIds,
    MemoryRetentionWriting,
    MemoryApiKeysWriting,
    MemoryRepliesWriting,
):
    """Tables of its own where it writes, and the kept ones elsewhere."""

    _has_grown: bool = False
    _is_alone: bool = True

    def put_app(self, app: App) -> None:
        """Keep an app."""
        self._writable("apps")[app.name] = app

    def put_release(self, release: Release) -> None:
        """Keep a release."""
        self._writable("releases", release.app).setdefault(release.name, release)

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot."""
        slots = self._writable("slots", app)
        before = slots.get(slot.number)
        if before is not None and before.is_sealed and before != slot:
            raise sealed_already(app, slot.number)
        slots[slot.number] = slot

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch."""
        self._add("batches", "", ingested.digest, ingested)
        self._writable("bodies")[ingested.digest] = body
        for app, number in slots:
            self._add(f"segments {number}", app, ingested.digest, None)

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy."""
        self._writable("policies").setdefault(policy.digest(), policy)

    def save(self, trial: Trial) -> None:
        """Keep a trial."""
        check_alone(is_alone=self._is_alone)
        before = self.trial(trial.rollout.id)
        if trial.turn != (0 if before is None else before.turn) + 1:
            raise overtaken(trial.rollout.id)
        self._writable("trials")[trial.rollout.id] = trial

    def add_folded(self, rollout_id: str, buckets: Iterable[tuple[int, str]]) -> None:
        """Keep buckets that were read."""
        for number, digest in buckets:
            self._add("folded", rollout_id, number, digest)

    def add_look(self, rollout_id: str, look: Look) -> None:
        """Keep a look."""
        self._add("looks", rollout_id, look.number, look)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Open a part."""
        before, own = dict(self.tables), self._own
        # What the transaction wrote before the part is copied once more when the part writes to it.
        self._own = set()
        try:
            yield
        except BaseException:
            self.tables, self._own = before, own
            raise
        self._own |= own

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]]) -> None:
        """Append a receipt."""
        check_alone(is_alone=self._is_alone)
        self._has_grown = True
        if receipt.index != self.tree().size:
            raise held_already("log", receipt.index)
        self._add("log", "", receipt.index, receipt.id)
        self._add("receipts", receipt.rollout_id, receipt.seq, receipt)
        self._add("by id", "", receipt.id, receipt)
        for node, hashed in nodes:
            self._add("nodes", "", node, hashed)

    def add_checkpoint(self, size: int, note: bytes) -> None:
        """Keep a checkpoint."""
        if size != self.tree().size:
            raise uncovered(size)
        self._add("checkpoints", "", size, note)

    def check_cover(self) -> None:
        """Refuse to be kept while receipts stand in the log that no checkpoint covers."""
        size = self.tree().size if self._has_grown else 0
        if size and self.checkpoint(size) is None:
            raise uncovered(size)


def _later(rows: Mapping[int, Any], after: int, limit: int | None = None) -> tuple[Any, ...]:
    keys = list(rows)
    return tuple(rows[key] for key in keys[bisect_right(keys, after) :][:limit])
