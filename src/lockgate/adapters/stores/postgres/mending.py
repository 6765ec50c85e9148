# SPDX-License-Identifier: Apache-2.0
"""The address of a store comes in; what can be made again from the rest of it is made again in one transaction.

It is the transaction of a role that owns the tables: the role of a server may change no node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from psycopg import sql

from lockgate.adapters.stores.postgres.connections import SCHEMA, Connections, Link
from lockgate.adapters.stores.postgres.guards import FOUND, OPEN, Made, foreign, lacking, made, read, table_of
from lockgate.adapters.stores.postgres.schema import close
from lockgate.core.merkle import Node

_NODES = sql.Identifier(SCHEMA, "nodes")
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY relname"


class PostgresMending:
    """All tables, in a transaction of their owner."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def rebuild_indexes(self) -> None:
        """Make again what guards and finds rows, and every index; whoever reads or writes waits meanwhile."""
        self._restore()
        for (table,) in self._link.execute(_TABLES, (SCHEMA,)).fetchall():
            self._link.execute(sql.SQL("REINDEX TABLE {}").format(sql.Identifier(SCHEMA, table)))

    def _restore(self) -> None:
        there = read(self._link.execute(FOUND).fetchall())
        for each in foreign(there):
            self._drop(each)
        for each in lacking(there):
            # A table that is gone took rows with it, which nothing makes again.
            if each[0] == "index":
                self._drop(each)
            if each[0] != "table":
                self._link.execute(made()[each].encode())
        for (without,) in self._link.execute(OPEN).fetchall():
            table = sql.Identifier(SCHEMA, without)
            self._link.execute(sql.SQL("DROP POLICY IF EXISTS own_org ON {}").format(table))
            self._link.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY").format(table))
        close(self._link)

    def _drop(self, each: Made) -> None:
        kind, name, _ = each
        if kind == "index":
            self._link.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(SCHEMA, name)))
            return
        table = sql.Identifier(SCHEMA, table_of(each))
        if kind == "constraint":
            self._link.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(name)))
            return
        self._link.execute(sql.SQL(f"DROP {kind.upper()} {{}} ON {{}}").format(sql.Identifier(name), table))

    def replace_nodes(self, org: str, nodes: Iterable[tuple[Node, bytes]]) -> int:
        """Replace all nodes; nobody else sees the barriers lifted."""
        self._link.execute(sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY, DISABLE TRIGGER USER").format(_NODES))
        self._link.execute(sql.SQL("DELETE FROM {} WHERE org = %s").format(_NODES), (org,))
        made = 0
        add = sql.SQL("COPY {} (org, level, position, hash) FROM STDIN").format(_NODES)
        for portion in _portions(nodes):
            with self._link.cursor() as cursor, cursor.copy(add) as into:
                for node, hashed in portion:
                    into.write_row((org, node.level, node.position, hashed))
            made += len(portion)
        self._link.execute(sql.SQL("ALTER TABLE {} FORCE ROW LEVEL SECURITY, ENABLE TRIGGER USER").format(_NODES))
        return made


def _portions(nodes: Iterable[tuple[Node, bytes]]) -> Iterator[list[tuple[Node, bytes]]]:
    """Yield nodes in lists: while a COPY is open nothing else may be asked on its connection."""
    portion: list[tuple[Node, bytes]] = []
    for each in nodes:
        portion.append(each)
        if len(portion) == 1_000:
            yield portion
            portion = []
    if portion:
        yield portion


class PostgresMendings:
    """Opens mendings of the store of a database."""

    def __init__(self, url: str, busy_seconds: float) -> None:
        self._url, self._busy_seconds = url, busy_seconds

    @contextmanager
    def mending(self) -> Iterator[PostgresMending]:
        """Open a mending."""
        links = Connections(self._url, self._busy_seconds)
        patience = f"{max(1, round(self._busy_seconds * 1000))}ms"
        waiting = "SELECT set_config('lock_timeout', %s, true)"
        # Nobody appends while the log is read and its nodes are replaced; who only reads goes on.
        held = f"LOCK TABLE {SCHEMA}.nodes, {SCHEMA}.receipts, {SCHEMA}.checkpoints IN SHARE ROW EXCLUSIVE MODE"
        opening = [("BEGIN ISOLATION LEVEL READ COMMITTED", ()), (waiting, (patience,)), (held, ())]
        try:
            with links.explained(), links.begun(opening) as (link, _):
                yield PostgresMending(link)
                link.execute("COMMIT")
        finally:
            links.close()
