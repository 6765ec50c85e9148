# SPDX-License-Identifier: Apache-2.0
"""A prune comes between the openings, or the copies, of the two files of a store; nothing may be missed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lockgate.adapters.stores.sqlite import backup as sqlite_backup
from lockgate.adapters.stores.sqlite.reading import SqliteSnapshot
from lockgate.adapters.stores.sqlite.segments import HELD
from lockgate.adapters.stores.sqlite.store import BEGINNINGS, CONTROL, RUNS, SqliteStore, snapshot
from lockgate.core.app import App
from lockgate.core.retention import Retention
from lockgate.errors import HeldError
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.ports.store import Store
from lockgate.testing.world import World
from lockgate.wiring import back_up
from tests.spec.line import APP, EQUAL

HOUR_S = 3_600
# Less than a pruner would wait for who reads, and more than any writing takes.
IMPATIENT_S = 5.0
BRIEF = Retention(raw_s=HOUR_S, buckets_s=400 * HOUR_S)


@dataclass
class Between:
    """A store that is read with a write between the openings of its files."""

    folder: Path
    write: Callable[[], None]

    @contextmanager
    def reading(self, org: str) -> Iterator[SqliteSnapshot]:
        """Open a snapshot."""
        write = self.write

        class Interrupted(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                if sql == "BEGIN":
                    write()
                return super().execute(sql, *rest)

        runs = sqlite3.connect(self.folder / RUNS, factory=Interrupted, isolation_level=None)
        control = sqlite3.connect(self.folder / CONTROL, isolation_level=None)
        with closing(control), closing(runs):
            yield snapshot(control, runs, org)


@pytest.fixture
def old(tmp_path: Path) -> World:
    """Return a world whose raw runs rest in their own file, and are older than will be kept."""
    here = World(SqliteStore(tmp_path / "home"), 1)
    for _ in range(HELD):
        ingest(here.batch(APP, {"v36": 3}, EQUAL), here.house)
        here.clock.advance(60)
    here.clock.advance(2 * HOUR_S)
    return here


def dropping(here: World) -> tuple[Callable[[], None], list[int]]:
    """Return what prunes when it is called for the first time, and how many batches it dropped."""
    dropped: list[int] = []

    def write() -> None:
        if not dropped:
            dropped.append(0)
            dropped[0] = prune(here.house, BRIEF).raw

    return write, dropped


@pytest.mark.clause("LI-721")
def test_a_prune_between_the_two_openings_is_not_taken_for_a_loss(old: World, tmp_path: Path) -> None:
    """The control file is opened anew, which says then that they are gone."""
    write, dropped = dropping(old)
    store = cast("Store", Between(tmp_path / "home", write))

    found = fsck(replace(old.house, store=store))

    assert dropped == [HELD]
    assert (found.flaws, found.unknown) == ((), ())


@pytest.mark.clause("LI-721")
def test_a_store_whose_raw_runs_are_always_being_written_is_held(old: World, tmp_path: Path) -> None:
    """It is tried so often and no more, and a later call may find a moment."""
    tried: list[int] = []

    def write() -> None:
        tried.append(len(tried))
        with closing(sqlite3.connect(tmp_path / "home" / RUNS)) as other, other:
            other.execute("UPDATE segments SET at = at")

    with pytest.raises(HeldError, match="raw runs were written"):
        fsck(replace(old.house, store=cast("Store", Between(tmp_path / "home", write))))

    assert len(tried) == BEGINNINGS
    assert fsck(old.house).flaws == ()


@pytest.mark.clause("LI-722")
def test_a_backup_has_the_raw_runs_that_are_pruned_while_it_is_made(
    old: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is whole, and its check finds nothing missing."""
    write, dropped = dropping(old)

    class Interrupted(sqlite3.Connection):
        """Copies, and lets others write after it."""

        def backup(self, target: sqlite3.Connection, **words: Any) -> None:
            super().backup(target, **words)
            write()

    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path, factory=Interrupted)

    monkeypatch.setattr(sqlite_backup, "sqlite3", SimpleNamespace(connect=connect, Error=sqlite3.Error))
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))

    back_up(tmp_path / "copy", has_keys=False)

    assert dropped == [HELD]
    copy = SqliteStore(tmp_path / "copy")
    with copy.reading() as seen:
        assert len(seen.segments_before(2**62, (-1, ""), 100)) == HELD
    assert fsck(replace(old.house, store=copy)).flaws == ()


@pytest.mark.clause("LI-723")
def test_room_is_given_back_past_who_reads_without_holding_writers(tmp_path: Path) -> None:
    """SQLite keeps writers out while it waits for readers to end, so that this is not waited for."""
    folder = tmp_path / "home"
    store, pruner = SqliteStore(folder), SqliteStore(folder)
    impatient = SqliteStore(folder, busy_seconds=IMPATIENT_S)
    is_given = False

    with store.reading(), ThreadPoolExecutor() as pool:
        with store.writing() as work:
            work.put_app(App(name="first"))
        given = pool.submit(pruner.give_back)
        while not is_given:
            is_given = given.done()
            with impatient.writing() as work:
                work.put_app(App(name="later"))

    given.result()
    with store.reading() as later:
        assert [each.name for each in later.apps()] == ["first", "later"]
