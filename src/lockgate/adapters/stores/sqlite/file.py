# SPDX-License-Identifier: Apache-2.0
"""The path of a SQLite file and its schema come in; connections to a file of this version go out.

Migrations only go forward: `schema/<name>/0001_*.sql` and so on, each in a transaction of its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib.resources import files
from pathlib import Path

from lockgate.adapters.owner import make_file, make_folder
from lockgate.adapters.stores.refusals import later
from lockgate.crash_point import reach
from lockgate.errors import (
    DataError,
    HeldError,
    LockgateError,
    NotPermittedError,
    TryAgainError,
    UnreachableError,
    UnsoundError,
)

BUSY_SECONDS = 10.0
# Whoever waits longer than this for another process is told.
PATIENCE_SECONDS = 1.0
# Whoever empties the write-ahead log waits for readers no longer than this; the next who does finds it.
TRUNCATE_SECONDS = 0.1
PAGES_KEPT = 8_000
OBJECTS = "SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master"
# The folders of migrations, of the file that decides and of that of raw runs.
CONTROL_SCHEMA, RUNS_SCHEMA = "control", "runs"
_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA cache_size = -{PAGES_KEPT}",
)


class SqliteFile:
    """One file; connections are lent to one thread at a time, and never across a fork."""

    def __init__(
        self, path: Path, schema: str, busy_seconds: float = BUSY_SECONDS, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._on_wait = on_wait
        self._schema = schema
        self._idle: list[sqlite3.Connection] = []
        self._inherited: list[sqlite3.Connection] = []
        self._process = os.getpid()
        self._lock = threading.Lock()
        _make_folder(path)
        with self.explained(), self.lent() as connection:
            _migrate(connection, _migrations(schema), path)

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; one that was left in the middle of a transaction is rolled back."""
        connection = self._take()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.rollback()
            with self._lock:
                self._idle.append(connection)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite says into what a person can act on."""
        try:
            yield
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def begin(self, connection: sqlite3.Connection) -> None:
        """Begin to write a file of this version; who waits for another process for long is told once, and waits on."""
        try:
            _begin(connection, min(PATIENCE_SECONDS, self._busy_seconds))
        except sqlite3.OperationalError as error:
            if not isinstance(explain(error, self.path), TryAgainError) or self._busy_seconds <= PATIENCE_SECONDS:
                raise
            self._on_wait()
            _begin(connection, self._busy_seconds - PATIENCE_SECONDS)
        finally:
            _wait(connection, self._busy_seconds)
        refuse_later(connection, self._schema)

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to a file of this version for one question, whose errors are explained."""
        with self.explained(), self.lent() as connection:
            refuse_later(connection, self._schema)
            yield connection

    def give_back(self, pages: int) -> None:
        """Give so many free pages back to the disk at a time, and empty the write-ahead log where nobody reads it."""
        with self.explained(), self.lent() as connection:
            while connection.execute("PRAGMA freelist_count").fetchone()[0]:
                before = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
                if connection.execute("PRAGMA page_count").fetchone()[0] == before:
                    break
            # While SQLite waits for readers to end nobody may write.
            _wait(connection, TRUNCATE_SECONDS)
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                _wait(connection, self._busy_seconds)

    def close(self) -> None:
        """Close every connection that is not lent."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._process != os.getpid():
                # A connection belongs to the process that opened it; closing it here would harm that one.
                self._inherited, self._idle, self._process = self._idle, [], os.getpid()
            if self._idle:
                return self._idle.pop()
        # Only its owner reads it, and SQLite gives the files beside it the same mode and owner. What stands in the way
        # is told by whoever opens the file.
        with suppress(OSError):
            make_file(self.path)
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
            # Only before anything is written can a file learn to give back room that was pruned.
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for setting in _SETTINGS:
            connection.execute(setting)
        return connection


def _begin(connection: sqlite3.Connection, seconds: float) -> None:
    _wait(connection, seconds)
    # Pages as they were before a part of the transaction stay in memory: in a file of their own they would be most of
    # what a turn of many rollouts writes. Whatever is sorted may be large, and has its files.
    connection.execute("PRAGMA temp_store = MEMORY")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA temp_store = DEFAULT")


def _wait(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _make_folder(path: Path) -> None:
    try:
        make_folder(path.parent)
    except PermissionError as error:
        raise _not_writable(path) from error
    except OSError as error:
        raise UnreachableError(
            f"{path.parent} cannot be made: {error.strerror or error}", advice="Check LOCKGATE_HOME and its disk."
        ) from error


def explain(error: sqlite3.Error, path: Path) -> LockgateError:
    """Return what a person can do about an error of SQLite."""
    name = getattr(error, "sqlite_errorname", "") or ""
    # By the last SQLite says that too many others came first, again and again for ten seconds.
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return HeldError(
            f"{path} is held by another process",
            advice="Try again; if nothing else runs, look for a process that hangs with the file open.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return _not_writable(path)
    if name.startswith("SQLITE_CANTOPEN"):
        if path.parent.is_dir() and not os.access(path.parent, os.W_OK):
            return _not_writable(path)
        return UnreachableError(f"{path} cannot be opened", advice="Check LOCKGATE_HOME and its disk.")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM")):
        return UnreachableError(
            f"{path} cannot be written: {error}", advice="Make room on the disk, then try again; nothing was stored."
        )
    # A table or column that our schema makes and that is not there; nobody else's SQL is carried out.
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or str(error).startswith("no such "):
        return UnsoundError(f"{path} is not a sound store: {error}", advice="Put it back from a backup.")
    return LockgateError(f"{path}: {error}", advice="Please report this: it is a fault in Lockgate.")


def _not_writable(path: Path) -> NotPermittedError:
    return NotPermittedError(
        f"{path} may not be written", advice="Run as the owner of LOCKGATE_HOME, on a disk that is not read-only."
    )


def objects_of(schema: str) -> dict[str, str]:
    """Return the tables, indexes and triggers that a schema makes, each by its name as it is written."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in _migrations(schema):
            connection.executescript(migration)
        return dict(connection.execute(OBJECTS))


@cache
def _migrations(schema: str) -> list[str]:
    folder = files(__package__) / "schema" / schema
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".sql")), key=lambda each: each.name)
    return [each.read_text(encoding="utf-8") for each in found]


def _migrate(connection: sqlite3.Connection, migrations: list[str], path: Path) -> None:
    if _version(connection, len(migrations), path) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been first.
    version = _version(connection, len(migrations), path)
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DataError(f"{path} belongs to another program", advice="Choose another LOCKGATE_HOME.")
    for number, migration in enumerate(migrations[version:], version + 1):
        for statement in _statements(migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    reach("schema.written")
    connection.execute("COMMIT")


def is_current(connection: sqlite3.Connection, schema: str, path: Path) -> bool:
    """Say whether a file is of this version; one of a later version is refused."""
    known = len(_migrations(schema))
    return _version(connection, known, path) == known


def refuse_later(connection: sqlite3.Connection, schema: str) -> None:
    """Refuse a file that a later version has brought to its schema, also while this process had it open."""
    version, known = _user_version(connection), len(_migrations(schema))
    if version > known:
        raise later(connection.execute("PRAGMA database_list").fetchone()[2], version, known)


def _version(connection: sqlite3.Connection, known: int, path: Path) -> int:
    version = _user_version(connection)
    if version > known:
        raise later(path, version, known)
    return version


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
