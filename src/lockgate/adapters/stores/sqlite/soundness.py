# SPDX-License-Identifier: Apache-2.0
"""Connections in a transaction come in; what an organisation's tables hold goes out in bounded portions."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.sqlite.file import OBJECTS, objects_of
from lockgate.adapters.stores.sqlite.moved import left_for
from lockgate.adapters.stores.sqlite.unreadable import SqliteUnreadable
from lockgate.core.batch import Ingested
from lockgate.core.merkle import Node
from lockgate.core.outbox import Message
from lockgate.core.soundness.flaw import Rule
from lockgate.core.trial import Look
from lockgate.core.vault import Receipt

# More sentences of one file than this say nothing more.
MAX_TOLD = 20
# What can be made again: by the schema, and from the table.
GUARDS = ("index ", "trigger ")
_OF_INDEX = re.compile(r"(missing from|values differ from|entries in|at end-of-record for row \d+ of) index ")


class SqliteSoundness(SqliteUnreadable):
    """The part of a snapshot that reads everything in the order of its keys."""

    def left_for(self) -> str | None:
        """Return where the store goes on."""
        rows = self._control.execute("PRAGMA database_list").fetchall()
        return left_for(self._control, next(Path(path) for _, name, path in rows if name == "main"))

    def contradictions(self) -> tuple[tuple[Rule, str], ...]:
        """Return what SQLite says against its own files, what guards them, and rows that are not what they seem."""
        files = ((self._control, "control", "the control file"), (self._runs, "runs", "the file of raw runs"))
        told = [
            (rule, f"{name}: {said}")
            for link, schema, name in files
            for found in (_altered(link, schema), _damaged(link))
            for rule, said in found
        ]
        # Where a table is gone there is nothing to look through.
        is_whole = all(rule is not Rule.FILE for rule, _ in told)
        return (*told, *((Rule.ROW, said) for said in (self.strayed() if is_whole else ())))

    def series_after(self, after: str, count: int) -> tuple[str, ...]:
        """Return ids of series."""
        sql = (
            "SELECT id FROM (SELECT id FROM rollouts WHERE org = ?1 AND id > ?2"
            " UNION SELECT rollout FROM receipts WHERE org = ?1 AND rollout > ?2) ORDER BY id LIMIT ?3"
        )
        return tuple(name for (name,) in self._rows(sql, after, count))

    def receipts_after(self, series: str, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by seq."""
        sql = "SELECT body FROM receipts WHERE org = ? AND rollout = ? AND seq > ? ORDER BY seq LIMIT ?"
        return self._all(Receipt, sql, series, after, count)

    def looks_after(self, rollout_id: str, after: int, count: int) -> tuple[Look, ...]:
        """Return looks."""
        sql = "SELECT body FROM looks WHERE org = ? AND rollout = ? AND number > ? ORDER BY number LIMIT ?"
        return self._all(Look, sql, rollout_id, after, count)

    def folded_after(self, rollout_id: str, after: int, count: int) -> tuple[tuple[int, str], ...]:
        """Return buckets that were read."""
        sql = "SELECT number, digest FROM folded WHERE org = ? AND rollout = ? AND number > ? ORDER BY number LIMIT ?"
        return tuple(self._rows(sql, rollout_id, after, count))

    def batches_after(self, after: str, count: int) -> tuple[Ingested, ...]:
        """Return batches."""
        sql = "SELECT body FROM batches WHERE org = ? AND digest > ? ORDER BY digest LIMIT ?"
        return self._all(Ingested, sql, after, count)

    def entries_after(self, after: int, count: int) -> tuple[Receipt, ...]:
        """Return receipts by their place in the log."""
        sql = "SELECT body FROM receipts WHERE org = ? AND log_index > ? ORDER BY log_index LIMIT ?"
        return self._all(Receipt, sql, after, count)

    def hashes_of(self, nodes: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return the nodes that are there."""
        sql = "SELECT hash FROM nodes WHERE org = ? AND level = ? AND position = ?"
        found = ((node, self._rows(sql, node.level, node.position)) for node in nodes)
        return {node: rows[0][0] for node, rows in found if rows}

    def node_count(self) -> int:
        """Return how many nodes there are."""
        return int(self._rows("SELECT count(*) FROM nodes WHERE org = ?")[0][0])

    def checkpoints_after(self, after: int, count: int) -> tuple[tuple[int, bytes], ...]:
        """Return checkpoints."""
        sql = "SELECT size, note FROM checkpoints WHERE org = ? AND size > ? ORDER BY size LIMIT ?"
        return tuple(self._rows(sql, after, count))

    def messages_after(self, after: int, count: int) -> tuple[tuple[int, Message], ...]:
        """Return messages with their places."""
        sql = "SELECT place, body FROM messages WHERE org = ? AND place > ? ORDER BY place LIMIT ?"
        return tuple((place, unpack(Message, body)) for place, body in self._rows(sql, after, count))


def _altered(link: sqlite3.Connection, schema: str) -> Iterable[tuple[Rule, str]]:
    """Yield which tables, indexes and triggers are not those of the schema."""
    # Without its triggers a sealed bucket can be written to, and nothing else would tell.
    expected, found = objects_of(schema), dict(link.execute(OBJECTS))
    for each in sorted(expected.keys() | found.keys()):
        rule = Rule.INDEX if each.startswith(GUARDS) else Rule.FILE
        if each not in found:
            yield rule, f"its {each} is not there"
        elif found[each] != expected.get(each):
            yield rule, f"its {each} is not one of this version, or is written otherwise"


def _damaged(link: sqlite3.Connection) -> Iterable[tuple[Rule, str]]:
    for (said,) in link.execute(f"PRAGMA integrity_check({MAX_TOLD})"):
        if said != "ok":
            yield Rule.INDEX if _OF_INDEX.search(said) else Rule.FILE, said
    # A row that names no row has no constraint of its own to stop the program that wrote it.
    for table, row, parent, _ in link.execute("PRAGMA foreign_key_check").fetchmany(MAX_TOLD):
        yield Rule.ROW, f"row {row} of {table} names a row of {parent} that is not there"
