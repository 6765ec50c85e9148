# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a store in two SQLite files there goes out: one that decides, one of raw runs.

Both are in WAL mode with full synchronisation. Raw runs are committed first: one that nothing names does no harm.
Those of small batches come to their file later, some at once, so that a batch waits for one file only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lockgate.adapters.stores.id_window import IdWindows
from lockgate.adapters.stores.refusals import part_lost
from lockgate.adapters.stores.sqlite.api_keys import api_key
from lockgate.adapters.stores.sqlite.file import BUSY_SECONDS, CONTROL_SCHEMA, RUNS_SCHEMA, SqliteFile, refuse_later
from lockgate.adapters.stores.sqlite.moved import refuse_left
from lockgate.adapters.stores.sqlite.reading import SqliteSnapshot
from lockgate.adapters.stores.sqlite.trust import orgs
from lockgate.adapters.stores.sqlite.turns import Turns
from lockgate.adapters.stores.sqlite.writing import SqliteTransaction
from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.crash_point import reach
from lockgate.errors import HeldError

CONTROL = "lockgate.db"
RUNS = "runs.db"
# Pages that are given back at a time: nobody waits longer for the file than for so many.
PAGES_GIVEN = 1_000
# How often both files are begun to be read while others write; each takes microseconds.
BEGINNINGS = 100


class SqliteStore:
    """The default store: for one machine, and any number of processes on it."""

    def __init__(
        self, folder: Path, busy_seconds: float = BUSY_SECONDS, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        control, runs = folder / CONTROL, folder / RUNS
        is_begun = is_there(runs)
        if is_begun and not is_there(control):
            raise part_lost(control, runs)
        self._control = SqliteFile(control, CONTROL_SCHEMA, busy_seconds, on_wait)
        if not is_begun and _names_runs(self._control) and not is_there(runs):
            raise part_lost(runs, control)
        self._windows = IdWindows()
        self._turns = Turns(control, busy_seconds)
        self._runs = SqliteFile(runs, RUNS_SCHEMA, busy_seconds)

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[SqliteSnapshot]:
        """Open a snapshot."""
        with self._control.explained(), self._control.lent() as control, self._runs.lent() as runs:
            yield snapshot(control, runs, org)

    @contextmanager
    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> Iterator[SqliteTransaction]:
        """Open a transaction."""
        with ExitStack() as stack:
            stack.enter_context(self._control.explained())
            stack.enter_context(self._turns.taken())
            control = stack.enter_context(self._control.lent())
            runs = stack.enter_context(self._runs.lent())
            self._control.begin(control)
            # Who writes raw runs too asks again once nobody else can write them.
            refuse_later(runs, RUNS_SCHEMA)
            refuse_left(control, self._control.path)
            work = SqliteTransaction(control, runs, org, self._control.explained, self._windows)
            work.is_alone = spines is None
            reach("store.begun")
            yield work
            work.check_cover()
            with self._runs.explained():
                if runs.in_transaction:
                    runs.execute("COMMIT")
                    reach("store.runs_kept")
            control.execute("COMMIT")
            reach("store.kept")

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        with self._control.read() as control:
            return api_key(control, key_id)

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations that have an API key."""
        with self._control.read() as control:
            return orgs(control)

    def give_back(self) -> None:
        """Give free room back to the disk."""
        for file in (self._runs, self._control):
            file.give_back(PAGES_GIVEN)

    def close(self) -> None:
        """Close both files."""
        self._control.close()
        self._runs.close()


def snapshot(control: sqlite3.Connection, runs: sqlite3.Connection, org: str) -> SqliteSnapshot:
    """Return what is stored as both files hold it now, for as long as their connections are lent."""
    begin_both(control, runs)
    return SqliteSnapshot(control, runs, org)


def begin_both(control: sqlite3.Connection, runs: sqlite3.Connection) -> None:
    """Let connections to both files read what these hold at one moment, until their transactions end.

    Raw runs go after the control file has said that they are pruned. Had they gone between the two beginnings, the
    control file as it was would miss them: so it is begun anew where anybody wrote raw runs meanwhile.
    """
    for _ in range(BEGINNINGS):
        before = _changes(runs)
        for connection, schema in ((control, CONTROL_SCHEMA), (runs, RUNS_SCHEMA)):
            connection.execute("BEGIN")
            # SQLite takes its snapshot at the first read, not at BEGIN. That of the version is one and needs no table:
            # those of a later version may be others.
            refuse_later(connection, schema)
        if _changes(runs) == before:
            return
        for connection in (control, runs):
            connection.execute("ROLLBACK")
    raise HeldError(
        f"raw runs were written each of {BEGINNINGS} times that they were to be read with what names them",
        advice="Try again.",
    )


def _changes(connection: sqlite3.Connection) -> int:
    """Return a number that is another one once somebody else has written the file."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _names_runs(control: SqliteFile) -> bool:
    """Say whether a control file names raw runs; the file of these is made after it, and before any."""
    with control.explained(), control.lent() as connection:
        return connection.execute("SELECT 1 FROM batches LIMIT 1").fetchone() is not None


def is_there(path: Path) -> bool:
    """Say whether a file is there and holds anything; also one whose tables are still in its write-ahead log does."""
    return path.exists() and path.stat().st_size > 0
