# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; all of its tables go out as rows, or come in as rows into a new folder.

Raw runs are one table here, wherever they rest. A new store is written beside its place and renamed when it is whole.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lockgate.adapters.stores.sqlite.file import explain
from lockgate.adapters.stores.sqlite.moved import leave, left_for
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore
from lockgate.errors import UsageError
from lockgate.ports.copying import PLACE, Row

SEGMENTS, HELD = "segments", "held_segments"
_TABLES = (
    "SELECT l.name, l.wr FROM pragma_table_list l JOIN sqlite_master m ON m.name = l.name"
    " WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY m.rowid"
)
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


class SqliteTables:
    """Both files of a store, each inside of a transaction."""

    def __init__(self, folder: Path, control: sqlite3.Connection, runs: sqlite3.Connection) -> None:
        self._folder, self._control, self._runs = folder, control, runs

    @property
    def name(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Return each table with its columns; the order of rows is a column too, where rows have one."""
        found: dict[str, Sequence[str]] = {}
        for link in (self._control, self._runs):
            for table, has_no_rowid in link.execute(_TABLES).fetchall():
                names = [name for (name,) in link.execute("SELECT name FROM pragma_table_info(?)", (table,))]
                found[table] = names if has_no_rowid or PLACE in names or link is self._runs else [*names, PLACE]
        del found[HELD]
        return found

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """Return the rows of a table; raw runs from both files, what is in both of them once."""
        if table != SEGMENTS:
            yield from self._control.execute(_select(table, self._named(table, columns)))
            return
        yield from self._runs.execute(_select(SEGMENTS, columns))
        is_moved = f"SELECT 1 FROM {SEGMENTS} WHERE org = ? AND digest = ?"  # noqa: S608 -- the table of this file
        for row in self._control.execute(_select(HELD, columns)).fetchall():
            key = (row[columns.index("org")], row[columns.index("digest")])
            if self._runs.execute(is_moved, key).fetchone() is None:
                yield row

    def left_for(self) -> str | None:
        """Return where the store goes on already."""
        return left_for(self._control, self._folder / CONTROL)

    def leave(self, name: str) -> None:
        """Let nobody write to it any more."""
        leave(self._control, self._folder / CONTROL, name)
        self._control.execute("COMMIT")

    def _named(self, table: str, columns: Sequence[str]) -> list[str]:
        """Return columns by the names that the file gives them."""
        own = {name for (name,) in self._control.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        return [name if name in own else "rowid" for name in columns]


class NewSqliteTables(SqliteTables):
    """A store that is being made."""

    def __init__(
        self, folder: Path, control: sqlite3.Connection, runs: sqlite3.Connection, triggers: Sequence[str]
    ) -> None:
        super().__init__(folder, control, runs)
        self._triggers = triggers
        self.is_kept = False

    def put(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Put rows into a table."""
        link = self._runs if table == SEGMENTS else self._control
        names = columns if table == SEGMENTS else self._named(table, columns)
        marks = ", ".join("?" * len(names))
        link.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608 -- the tables and columns of the schema

    def keep(self) -> None:
        """Keep both files; whoever opened the block puts them in their place."""
        for trigger in self._triggers:
            self._control.execute(trigger)
        self._runs.execute("COMMIT")
        self._control.execute("COMMIT")
        self.is_kept = True


def _select(table: str, columns: Sequence[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 -- the tables and columns of the schema


@contextmanager
def source_of(folder: Path, busy_seconds: float) -> Iterator[SqliteTables]:
    """Open the store of a folder; who wants to write to it waits until the block ends."""
    folder = folder.resolve()
    # What is not a whole store of this version is refused, or brought to this version.
    SqliteStore(folder, busy_seconds).close()
    with _both(folder, busy_seconds) as (control, runs):
        control.execute("BEGIN IMMEDIATE")
        runs.execute("BEGIN")
        yield SqliteTables(folder, control, runs)


@contextmanager
def target_of(folder: Path, busy_seconds: float) -> Iterator[NewSqliteTables]:
    """Make a store in a folder that is not there, or empty."""
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty", advice="Name a new folder.")
    partial = folder.with_name(f"{folder.name}.partial")
    # A copy that was interrupted left it, and nobody has ever named it as a store.
    shutil.rmtree(partial, ignore_errors=True)
    SqliteStore(partial, busy_seconds).close()
    with _both(partial, busy_seconds) as (control, runs):
        control.execute("PRAGMA foreign_keys = ON")
        control.execute("BEGIN IMMEDIATE")
        runs.execute("BEGIN IMMEDIATE")
        triggers = control.execute(_TRIGGERS).fetchall()
        for name, _ in triggers:
            control.execute(f"DROP TRIGGER {name}")
        made = NewSqliteTables(folder, control, runs, [sql for _, sql in triggers])
        yield made
    if made.is_kept:
        partial.rename(folder)
        _sync(folder.parent)


@contextmanager
def _both(folder: Path, busy_seconds: float) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    try:
        with (
            closing(sqlite3.connect(folder / CONTROL, timeout=busy_seconds, isolation_level=None)) as control,
            closing(sqlite3.connect(folder / RUNS, timeout=busy_seconds, isolation_level=None)) as runs,
        ):
            for link in (control, runs):
                link.execute("PRAGMA synchronous = FULL")
            yield control, runs
    except sqlite3.Error as error:
        raise explain(error, folder / CONTROL) from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
