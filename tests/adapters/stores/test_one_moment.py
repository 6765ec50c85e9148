# SPDX-License-Identifier: Apache-2.0
"""Others prune and write while a snapshot or a backup is open; it must stay as at one moment, and be on the disk."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lockgate.adapters.stores.sqlite import backup as sqlite_backup
from lockgate.adapters.stores.sqlite.segments import HELD
from lockgate.adapters.stores.sqlite.store import SqliteStore
from lockgate.operations.intake.ingest import ingest
from lockgate.wiring import back_up, local_house
from tests.spec.line import batch

# More rows than fit into the portions before others write.
ROWS_BESIDE = 3


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a store whose raw runs have come to rest in their own file."""
    folder = tmp_path / "home"
    monkeypatch.setenv("LOCKGATE_HOME", str(folder))
    before = os.umask(0)
    try:
        for number in range(HELD):
            ingest(batch({"run_id": str(number)}), local_house())
    finally:
        os.umask(before)
    return folder


def digests(store: SqliteStore) -> list[str]:
    """Return the digests of all batches."""
    with store.reading() as seen:
        return [each.digest for each in seen.batches_after("", 1_000)]


@pytest.mark.clause("LI-481")
def test_a_snapshot_keeps_raw_runs_that_are_pruned_meanwhile(home: Path) -> None:
    """Both files are seen as they were at its beginning, also what is read of them for the first time."""
    store, other = SqliteStore(home), SqliteStore(home)
    known = digests(store)

    with store.reading() as seen:
        with other.writing() as work:
            work.drop_segments(known)
        left = [seen.segment(digest) is not None for digest in known]

    assert left == [True] * HELD
    with store.reading() as later:
        assert [later.segment(digest) for digest in known] == [None] * HELD


@pytest.mark.clause("LI-482")
def test_a_backup_holds_nothing_that_is_written_while_it_is_made(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is copied in portions, between which others write, and is the store as it was when it began all the same."""
    before = digests(SqliteStore(home))
    written: list[int] = []

    def write_beside(*_: int) -> None:
        if len(written) < ROWS_BESIDE:
            written.append(len(written))
            ingest(batch({"run_id": f"later-{len(written)}"}), local_house())

    class InSmallPortions(sqlite3.Connection):
        """Copies page by page, so that a small store takes portions too."""

        def backup(self, target: sqlite3.Connection, **_: Any) -> None:
            super().backup(target, pages=1, progress=write_beside)

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=InSmallPortions)

    monkeypatch.setattr(sqlite_backup, "sqlite3", SimpleNamespace(connect=connect, Error=sqlite3.Error))

    back_up(tmp_path / "copy", has_keys=False)

    assert len(written) == ROWS_BESIDE
    assert digests(SqliteStore(tmp_path / "copy")) == before
    assert len(digests(SqliteStore(home))) == HELD + ROWS_BESIDE


@pytest.mark.clause("LI-482")
def test_a_backup_is_on_the_disk_when_it_ends(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is synchronised after its last byte was written, and the folders that name them too."""
    synced: dict[int, int] = {}
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        found = os.fstat(handle)
        synced[found.st_ino] = found.st_mtime_ns

    monkeypatch.setattr(os, "fsync", fsync)

    copied = back_up(tmp_path / "copy", has_keys=True)

    folders = [tmp_path / "copy", tmp_path / "copy" / "keys"]
    assert {path.name for path in copied} >= {"lockgate.db", "runs.db"}
    assert {path: synced.get(path.stat().st_ino) for path in (*copied, *folders)} == {
        path: path.stat().st_mtime_ns for path in (*copied, *folders)
    }


@pytest.mark.clause("LI-483")
def test_only_its_owner_may_look_into_a_home(home: Path) -> None:
    """The folder, its files and its keys, whatever the umask of whoever made it."""
    paths = (home, *home.rglob("*"))

    assert {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in paths} == {path.name: 0 for path in paths}
