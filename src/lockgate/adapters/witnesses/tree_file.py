# SPDX-License-Identifier: Apache-2.0
"""A file comes in; the largest tree of each log that a witness has cosigned goes out, or in, by compare-and-swap.

The file is made once, with the key; where it is gone nothing is cosigned, because a witness that forgets what it has
cosigned would cosign a second history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lockgate.errors import DataError, LockgateError, TryAgainError, UnreachableError
from lockgate.ports.witness import Tree

BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE trees (
  origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL CHECK (size >= 0),
  root BLOB NOT NULL CHECK (length(root) = 32)
) STRICT;
CREATE TRIGGER kept_tree BEFORE DELETE ON trees BEGIN SELECT RAISE(ABORT, 'a tree is never forgotten'); END;
CREATE TRIGGER grown_tree BEFORE UPDATE ON trees WHEN NEW.size <= OLD.size OR NEW.origin <> OLD.origin
BEGIN SELECT RAISE(ABORT, 'a tree only ever grows'); END;
"""
_PUT = (
    "INSERT INTO trees VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root"
)


class TreeFile:
    """Trees in a file of SQLite, safe among any number of threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise DataError(
                f"{path} is not there, and it says what this witness has cosigned",
                advice="Put the latest copy back. Where there is none make a witness with a new key in a new folder: "
                "this one could no longer tell a second history from the first.",
            )
        self.latest("")

    def latest(self, origin: str) -> Tree | None:
        """Return the largest tree of a log."""
        with self._opened() as trees:
            return _latest(trees, origin)

    def advance(self, origin: str, before: Tree | None, after: Tree) -> bool:
        """Keep a tree in the place of the one before it."""
        with self._opened() as trees:
            trees.execute("BEGIN IMMEDIATE")
            if _latest(trees, origin) != before:
                return False
            trees.execute(_PUT, (origin, *after))
            trees.execute("COMMIT")
        return True

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(_connection(self._path, "rw")) as trees:
                yield trees
        except sqlite3.Error as error:
            raise _explained(error, self._path) from error


def make_tree_file(path: Path) -> None:
    """Make the file of a witness that has cosigned nothing yet; one that is there is left as it is."""
    if path.exists():
        return
    try:
        with closing(_connection(path, "rwc")) as trees:
            trees.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    except sqlite3.Error as error:
        raise _explained(error, path) from error


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    # A connection of its own each time: threads share none, and a file that was put in the place is seen at once.
    found = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S, isolation_level=None)
    # The folder is synchronised too when the journal goes, so that power loss cannot bring it back.
    found.execute("PRAGMA synchronous = EXTRA")
    return found


def _latest(trees: sqlite3.Connection, origin: str) -> Tree | None:
    row = trees.execute("SELECT size, root FROM trees WHERE origin = ?", (origin,)).fetchone()
    return None if row is None else (int(row[0]), bytes(row[1]))


def _explained(error: sqlite3.Error, path: Path) -> LockgateError:
    kind = getattr(error, "sqlite_errorname", "")
    if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return TryAgainError(f"{path} is held by another process", advice="Ask again.")
    if kind.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR", "SQLITE_CONSTRAINT")):
        return DataError(f"{path} is not what a witness keeps: {error}", advice="Put the latest copy back.")
    return UnreachableError(f"{path} cannot be read or written: {error}", advice="See to its disk and its owner.")
