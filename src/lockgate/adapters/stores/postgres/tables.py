# SPDX-License-Identifier: Apache-2.0
"""The address of a PostgreSQL store comes in; all of its tables go out as rows, or come in as rows into an empty one.

Everything is done in one transaction of the role that owns the tables. Inside of it the barriers that hold a server's
role and each single row are lifted, and nobody else sees the tables; when it ends they are as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

from lockgate.adapters.stores.postgres.connections import SCHEMA, Connections, Link
from lockgate.adapters.stores.postgres.guards import LEFT
from lockgate.adapters.stores.postgres.refusals import LEFT_STATE, in_doubt
from lockgate.adapters.stores.postgres.soundness import LEFT_FOR
from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.ports.copying import PLACE, Row

# Rows in memory at once; those of raw runs are some MiB each.
PORTION, PORTION_OF_RUNS = 500, 8
# In the order in which they were made, so that what is referred to comes first.
_COLUMNS = """
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum) FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' GROUP BY c.oid, c.relname
HAVING bool_or(a.attname = 'org') ORDER BY c.oid
"""
_LIFT = "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY, DISABLE TRIGGER USER"
_RESTORE = "ALTER TABLE {} FORCE ROW LEVEL SECURITY, ENABLE TRIGGER USER"
_GO_ON = "SELECT setval(pg_get_serial_sequence(%s, %s), (SELECT max({}) FROM {}))"
_REFUSE = """
CREATE OR REPLACE FUNCTION lockgate.refuse_left() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = {}, MESSAGE = {}; END $$
"""


class PostgresTables:
    """All tables, inside of a transaction that holds them alone."""

    def __init__(self, link: Link, place: str) -> None:
        self._link, self._place = link, place
        self._columns = {str(table): tuple(names) for table, names in link.execute(_COLUMNS, (SCHEMA,)).fetchall()}
        for table in self._columns:
            self._alter(_LIFT, table)

    @property
    def name(self) -> str:
        """Return host and database."""
        return self._place

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Return each table with its columns."""
        return self._columns

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """Return the rows of a table, in portions."""
        with self._link.cursor(f"rows_of_{table}") as cursor:
            cursor.itersize = PORTION_OF_RUNS if table == "segments" else PORTION
            cursor.execute(sql.SQL("SELECT {} FROM {}").format(_names(columns), _name(table)))
            yield from cursor

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Put rows into a table; what comes after them gets later places."""
        with (
            self._link.cursor() as cursor,
            cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(_name(table), _names(columns))) as into,
        ):
            for row in rows:
                into.write_row(row)
        if PLACE in columns:
            go_on = sql.SQL(_GO_ON).format(sql.Identifier(PLACE), _name(table))
            self._link.execute(go_on, (f"{SCHEMA}.{table}", PLACE))

    def keep(self) -> None:
        """Put the barriers up again, and keep everything."""
        for table in self._columns:
            self._alter(_RESTORE, table)
        try:
            self._link.execute("COMMIT")
        except psycopg.OperationalError as error:
            if self._link.closed:
                raise in_doubt(self._place) from error
            raise

    def left_for(self) -> str | None:
        """Return where the store goes on already."""
        found = self._link.execute(LEFT_FOR).fetchone()
        return None if found is None or found[0] is None else str(found[0])

    def leave(self, name: str) -> None:
        """Let nobody write to it any more."""
        refuse = sql.SQL(_REFUSE).format(sql.Literal(LEFT_STATE), sql.Literal(name))
        self._link.execute(refuse)
        self._link.execute(sql.SQL("COMMENT ON FUNCTION lockgate.refuse_left() IS {}").format(sql.Literal(name)))
        for table in self._columns:
            self._alter(LEFT, table)
        self.keep()

    def _alter(self, statement: str, table: str) -> None:
        self._link.execute(sql.SQL(statement).format(_name(table)))


def _name(table: str) -> sql.Composable:
    return sql.Identifier(SCHEMA, table)


def _names(columns: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


@contextmanager
def tables_of(url: str, busy_seconds: float) -> Iterator[PostgresTables]:
    """Open the store of a database, whose tables are made where they are not there; nobody else uses it meanwhile."""
    PostgresStore(url, busy_seconds).close()
    links = Connections(url, busy_seconds)
    patience = f"{max(1, round(busy_seconds * 1000))}ms"
    waiting = "SELECT set_config('lock_timeout', %s, true)"
    opening = [("BEGIN ISOLATION LEVEL READ COMMITTED", ()), (waiting, (patience,))]
    try:
        with links.explained(), links.begun(opening) as (link, _):
            yield PostgresTables(link, links.place)
    finally:
        links.close()
