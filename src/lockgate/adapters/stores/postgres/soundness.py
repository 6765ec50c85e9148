# SPDX-License-Identifier: Apache-2.0
"""A connection in a transaction comes in; what an organisation's tables hold goes out in bounded portions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from lockgate.adapters.stores import segment
from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.postgres.guards import FOUND, OPEN, foreign, lacking, read
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading
from lockgate.adapters.stores.row_checks import REPEATED, ROWS, UNMARKED, strayed, unreadable
from lockgate.core.batch import Ingested
from lockgate.core.canonical import byte_digest
from lockgate.core.instant import Instant
from lockgate.core.merkle import Node
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Rule
from lockgate.core.trial import Look
from lockgate.core.vault import Receipt
from lockgate.errors import DataError

# Who leaves a store writes there where it went.
LEFT_FOR = "SELECT obj_description(to_regprocedure('lockgate.refuse_left()'), 'pg_proc')"
_UNMARKED = (
    "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM id_keys WHERE org = %s)"
    " AND (EXISTS (SELECT 1 FROM id_window WHERE org = %s) OR EXISTS (SELECT 1 FROM strict_ids WHERE org = %s))"
)


class PostgresSoundness(PostgresRowsReading):
    """The part of a snapshot that reads everything in the order of its keys."""

    def left_for(self) -> str | None:
        """Return where the store goes on."""
        (found,) = self._carry_out([(LEFT_FOR, ())])
        row = found.fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def contradictions(self) -> tuple[tuple[Rule, str], ...]:
        """Return what is missing of the schema, and rows that are found by something else than they hold."""
        told = list(self._altered())
        # Where a table is gone there is nothing to look through.
        is_whole = all(rule is not Rule.FILE for rule, _ in told)
        return (*told, *((Rule.ROW, said) for said in (self._strayed() if is_whole else ())))

    def _altered(self) -> Iterator[tuple[Rule, str]]:
        found, without = self._carry_out([(FOUND, ()), (OPEN, ())])
        there = read(found.fetchall())
        for kind, name, _ in lacking(there):
            rule = Rule.FILE if kind == "table" else Rule.INDEX
            yield rule, f"the schema: its {kind} {name} is not there, not in force, or written otherwise"
        for kind, name, _ in foreign(there):
            yield Rule.INDEX, f"the schema: its {kind} {name} is not one of this version"
        for (name,) in without.fetchall():
            yield Rule.INDEX, f"the schema: row-level security of {name} is not in force"

    def _strayed(self) -> Iterator[str]:
        for table, keys, bodies, held in REPEATED:
            with self._link.cursor(f"lockgate_{table}", binary=True) as rows:
                rows.execute(f"SELECT {keys}, {bodies} FROM {table} WHERE org = %s".encode(), (self._org,))  # noqa: S608 -- the tables of row_checks
                yield from strayed(table, keys.count(",") + 1, held, rows)
        if self._rows(_UNMARKED, self._org, self._org):
            yield UNMARKED

    def unreadable(self) -> tuple[str, ...]:
        """Return, in sentences, which rows cannot be read."""
        return tuple(said for row in ROWS for said in self._unreadable(*row))

    def _unreadable(self, table: str, keys: str, columns: str, read: Callable[..., object]) -> Iterator[str]:
        with self._link.cursor(f"lockgate_{table}", binary=True) as rows:
            rows.execute(f"SELECT {keys}, {columns} FROM {table} WHERE org = %s".encode(), (self._org,))  # noqa: S608 -- the tables of row_checks
            yield from unreadable(table, keys.count(",") + 1, read, rows)

    def segment(self, digest: str) -> bytes | None:
        """Return the bytes of a batch."""
        rows = self._rows("SELECT body FROM segments WHERE org = %s AND digest = %s", digest)
        return segment.decompress(rows[0][0]) if rows else None

    def is_segment_sound(self, digest: str) -> bool | None:
        """Say whether the bytes of a batch are its own."""
        try:
            body = self.segment(digest)
        except DataError:
            return False
        return None if body is None else byte_digest(body) == digest

    def segments_before(self, at: Instant, after: tuple[Instant, str], count: int) -> tuple[tuple[Instant, str], ...]:
        """Return raw runs, the oldest first."""
        sql = (
            "SELECT at, digest FROM segments WHERE org = %s AND at < %s AND (at, digest) > (%s, %s::text)"
            " ORDER BY at, digest LIMIT %s"
        )
        return tuple(self._rows(sql, at, *after, count))

    def series_after(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of series."""
        sql = (
            "SELECT id FROM rollouts WHERE org = %s AND id > %s"
            " UNION SELECT rollout FROM receipts WHERE org = %s AND rollout > %s ORDER BY id LIMIT %s"
        )
        return tuple(name for (name,) in self._rows(sql, after, self._org, after, count))

    def receipts_after(self, series: str, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by seq."""
        sql = "SELECT body FROM receipts WHERE org = %s AND rollout = %s AND seq > %s ORDER BY seq LIMIT %s"
        return self._all(Receipt, sql, series, after, count)

    def looks_after(self, rollout_id: str, after: int, count: int) -> tuple[Look, ...]:
        """Return looks."""
        sql = "SELECT body FROM looks WHERE org = %s AND rollout = %s AND number > %s ORDER BY number LIMIT %s"
        return self._all(Look, sql, rollout_id, after, count)

    def folded_after(self, rollout_id: str, after: int, count: int) -> tuple[tuple[int, str], ...]:
        """Return buckets that were read."""
        sql = (
            "SELECT number, digest FROM folded WHERE org = %s AND rollout = %s AND number > %s ORDER BY number LIMIT %s"
        )
        return tuple(self._rows(sql, rollout_id, after, count))

    def batches_after(self, after: str, count: int) -> tuple[Ingested, ...]:
        """Return batches."""
        sql = "SELECT body FROM batches WHERE org = %s AND digest > %s ORDER BY digest LIMIT %s"
        return self._all(Ingested, sql, after, count)

    def entries_after(self, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by their place in the log."""
        sql = "SELECT body FROM receipts WHERE org = %s AND log_index > %s ORDER BY log_index LIMIT %s"
        return self._all(Receipt, sql, after, count)

    def hashes_of(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return the nodes that are there."""
        wanted = list(nodes)
        if not wanted:
            return {}
        sql = (
            "SELECT level, position, hash FROM nodes WHERE org = %s"
            " AND (level, position) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
        )
        rows = self._rows(sql, [node.level for node in wanted], [node.position for node in wanted])
        found = {Node(level, position): hashed for level, position, hashed in rows}
        return {node: found[node] for node in wanted if node in found}

    def node_count(self) -> int:
        """Return how many nodes there are."""
        return int(self._rows("SELECT count(*) FROM nodes WHERE org = %s")[0][0])

    def checkpoints_after(self, after: int, count: int) -> tuple[tuple[int, bytes], ...]:
        """Return checkpoints."""
        sql = "SELECT size, note FROM checkpoints WHERE org = %s AND size > %s ORDER BY size LIMIT %s"
        return tuple(self._rows(sql, after, count))

    def messages_after(self, after: int, count: int) -> tuple[tuple[int, Message], ...]:
        """Return messages with their places."""
        sql = "SELECT place, body FROM messages WHERE org = %s AND place > %s ORDER BY place LIMIT %s"
        return tuple((place, unpack(Message, body)) for place, body in self._rows(sql, after, count))
