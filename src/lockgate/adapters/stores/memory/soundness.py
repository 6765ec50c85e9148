# SPDX-License-Identifier: Apache-2.0
"""Tables in memory come in; what they hold goes out in bounded portions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, cast

from lockgate.adapters.stores.memory.tables import MemoryTablesReading
from lockgate.core.batch import Ingested
from lockgate.core.canonical import byte_digest
from lockgate.core.merkle import Node
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Rule
from lockgate.core.trial import Look
from lockgate.core.vault import Receipt


class MemorySoundness(MemoryTablesReading):
    """The part of a snapshot that reads everything in the order of its keys."""

    __slots__ = ()

    def _sorted(self, name: str, after: Any, count: int, owner: str = "") -> tuple[tuple[Any, Any], ...]:  # noqa: ANN401 -- keys and rows of any table
        rows = self._table(name, owner)
        return tuple(islice(((key, rows[key]) for key in sorted(rows) if key > after), count))

    def left_for(self) -> None:
        """Return nothing: what is in memory goes on nowhere."""

    def contradictions(self) -> tuple[tuple[Rule, str], ...]:
        """Return nothing: there is no file."""
        return ()

    def unreadable(self) -> tuple[str, ...]:
        """Return nothing: there is no row."""
        return ()

    def series_after(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of series."""
        found = {owner for name, owner in self.tables if name == "receipts"} | set(self._table("trials"))
        return tuple(islice((name for name in sorted(found) if name > after), count))

    def receipts_after(self, series: str, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by seq."""
        return tuple(row for _, row in self._sorted("receipts", after, count, series))

    def looks_after(self, rollout_id: str, after: int, count: int) -> tuple[Look, ...]:
        """Return looks."""
        return tuple(row for _, row in self._sorted("looks", after, count, rollout_id))

    def folded_after(self, rollout_id: str, after: int, count: int) -> tuple[tuple[int, str], ...]:
        """Return buckets that were read."""
        return self._sorted("folded", after, count, rollout_id)

    def batches_after(self, after: str, count: int) -> tuple[Ingested, ...]:
        """Return batches."""
        return tuple(row for _, row in self._sorted("batches", after, count))

    def is_segment_sound(self, digest: str) -> bool | None:
        """Say whether the bytes of a batch are its own."""
        body = self._table("bodies").get(digest)
        return None if body is None else byte_digest(body) == digest

    def entries_after(self, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by their place in the log."""
        found = sorted(cast("Iterable[Receipt]", self._table("by id").values()), key=lambda row: row.index)
        return tuple(islice((row for row in found if row.index > after), count))

    def hashes_of(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return the nodes that are there."""
        kept = self._table("nodes")
        return {node: kept[node] for node in nodes if node in kept}

    def node_count(self) -> int:
        """Return how many nodes there are."""
        return len(self._table("nodes"))

    def checkpoints_after(self, after: int, count: int) -> tuple[tuple[int, bytes], ...]:
        """Return checkpoints."""
        return self._sorted("checkpoints", after, count)

    def messages_after(self, after: int, count: int) -> tuple[tuple[int, Message], ...]:
        """Return messages; their places are those of their arrival."""
        found = enumerate(self._table("messages").values())
        return tuple(islice(((place, row) for place, row in found if place > after), count))
