# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a store there that is only read goes out, also for a user who may not write to it.

No byte of either file changes: a check must leave what it checks, and a copy must stay the copy that was made.
Each reading has connections of its own, and none of them is ever lent to a writer.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from lockgate.adapters.stores.sqlite.api_keys import api_key
from lockgate.adapters.stores.sqlite.file import explain, is_current
from lockgate.adapters.stores.sqlite.reading import SqliteSnapshot
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore, is_there, snapshot
from lockgate.adapters.stores.sqlite.trust import orgs
from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError

# What SQLite keeps beside a file while it is written.
BESIDE = ("-wal", "-journal")
_SETTINGS = ("PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF")


def store_to_read(folder: Path, busy_seconds: float, on_wait: Callable[[], None]) -> SqliteStore | OnlyReadStore:
    """Return the store of a folder to be read; one that is not whole or of an earlier version is opened to be written.

    Only then is there something to make or to refuse, which a writer does.
    """
    files = (_File(folder / CONTROL, busy_seconds), _File(folder / RUNS, busy_seconds))
    if all(file.is_current(schema) for file, schema in zip(files, ("control", "runs"), strict=True)):
        return OnlyReadStore(*files)
    return SqliteStore(folder, busy_seconds, on_wait)


class _File:
    """One file; each reading opens it anew, because one that nobody writes is read without its lock."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self.path = path
        self._busy_seconds = busy_seconds

    def is_current(self, schema: str) -> bool:
        """Say whether the file is there and of this version."""
        try:
            if not is_there(self.path):
                return False
        except PermissionError as error:
            raise _unreadable(self.path) from error
        with self.explained(), self.lent() as connection:
            return is_current(connection, schema, self.path)

    @contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that cannot write."""
        is_resting, before = self._is_resting(), _mark(self.path)
        with self.explained():
            connection = self._opened(is_resting=is_resting)
        try:
            yield connection
        finally:
            connection.close()
            if is_resting and _mark(self.path) != before:
                # It was read without a lock, and somebody began to write after all: what was read may be torn.
                raise TryAgainError(f"{self.path} was written while it was read", advice="Try again.")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what SQLite says into what a reader can act on."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "") or ""
            if not name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
                raise explain(error, self.path) from error
            raise (_left_open if os.access(self.path, os.R_OK) else _unreadable)(self.path) from error

    def _is_resting(self) -> bool:
        """Say whether nobody writes the file now, and we may not make the files by which readers and writers meet."""
        if any(Path(f"{self.path}{end}").exists() for end in BESIDE):
            return False
        return not (os.access(self.path.parent, os.W_OK) and os.access(self.path, os.W_OK))

    def _opened(self, *, is_resting: bool) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=ro{'&immutable=1' if is_resting else ''}"
        connection = sqlite3.connect(uri, timeout=self._busy_seconds, isolation_level=None, uri=True)
        for setting in _SETTINGS:
            connection.execute(setting)
        return connection


class OnlyReadStore:
    """A store in two files that are there and of this version."""

    def __init__(self, control: _File, runs: _File) -> None:
        self._control, self._runs = control, runs

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[SqliteSnapshot]:
        """Open a snapshot."""
        with self._control.explained(), self._control.lent() as control, self._runs.lent() as runs:
            yield snapshot(control, runs, org)

    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> NoReturn:  # noqa: ARG002 -- of no organisation
        """Refuse to write."""
        raise LockgateError(
            f"{self._control.path} is only read", advice="Please report this: it is a fault in Lockgate."
        )

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        with self._control.explained(), self._control.lent() as control:
            return api_key(control, key_id)

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations that have an API key."""
        with self._control.explained(), self._control.lent() as control:
            return orgs(control)

    def give_back(self) -> None:
        """Keep free room as it is."""

    def close(self) -> None:
        """Close nothing: no connection outlives its reading."""


def _mark(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _unreadable(path: Path) -> NotPermittedError:
    return NotPermittedError(
        f"{path} may not be read", advice="Run as the owner of LOCKGATE_HOME, or as a user who may read its files."
    )


def _left_open(path: Path) -> NotPermittedError:
    return NotPermittedError(
        f"{path} was left open by a process that ended, and may not be written",
        advice="Let the owner of LOCKGATE_HOME call `lockgate backup FOLDER`; then it can be read.",
    )
