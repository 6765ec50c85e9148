# SPDX-License-Identifier: Apache-2.0
"""What a disk and other programs do to a SQLite store comes in; a message that helps must go out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.file import CONTROL_SCHEMA, RUNS_SCHEMA, SqliteFile, explain
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore, snapshot
from lockgate.core.policy.policy import Mode
from lockgate.errors import (
    DataError,
    LaterStoreError,
    LockgateError,
    NotPermittedError,
    TryAgainError,
    UnreachableError,
)
from lockgate.testing.store_contract import APP, INGESTED, SLOT, grow, sample_receipt, sample_trial


def run_sql(path: Path, *statements: str) -> None:
    """Do to a file what Lockgate never does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.clause("LI-31")
@pytest.mark.parametrize("name", [CONTROL, RUNS])
def test_a_store_of_a_later_version_is_refused(tmp_path: Path, name: str) -> None:
    """What this program does not know it would spoil."""
    SqliteStore(tmp_path).close()
    run_sql(tmp_path / name, "PRAGMA user_version = 99")

    with pytest.raises(DataError, match="later version of Lockgate"):
        SqliteStore(tmp_path)


@pytest.mark.clause("SV-961")
@pytest.mark.parametrize("name", [CONTROL, RUNS])
def test_a_program_does_not_go_on_after_a_later_version_came(tmp_path: Path, name: str) -> None:
    """Neither to write nor to read, whatever it had open; one file may be of a later version before the other is."""
    store = SqliteStore(tmp_path)
    with store.writing() as work:
        work.add_batch(INGESTED, b"raw", [])
    run_sql(tmp_path / name, "PRAGMA user_version = 99")

    # Raw runs are in a file of their own, which is written by who keeps or drops some only.
    with pytest.raises(LaterStoreError, match="later version of Lockgate"), store.writing() as work:
        work.drop_segments([INGESTED.digest])
    with pytest.raises(LaterStoreError, match="later version of Lockgate"), store.reading():
        pass

    run_sql(tmp_path / name, "PRAGMA user_version = 1")
    with store.reading() as seen:
        assert seen.segment(INGESTED.digest) == b"raw"


@pytest.mark.clause("SV-961")
def test_a_later_version_is_met_before_any_key_or_organisation_is_read(tmp_path: Path) -> None:
    """Their tables may be others by then, so that whose a key is could not be told."""
    store = SqliteStore(tmp_path)
    run_sql(tmp_path / CONTROL, "PRAGMA user_version = 99")

    with pytest.raises(LaterStoreError):
        store.api_key("k")
    with pytest.raises(LaterStoreError):
        store.orgs()


@pytest.mark.clause("LI-719")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        (CONTROL, "ALTER TABLE apps RENAME TO applications"),
        (CONTROL, "DROP TABLE rollouts"),
        (RUNS, "ALTER TABLE segments RENAME TO runs"),
        (RUNS, "DROP TABLE segments"),
    ],
)
def test_a_later_version_is_told_of_whatever_it_did_to_the_tables(tmp_path: Path, name: str, change: str) -> None:
    """Nothing is unsound, and nothing is to be put back from a backup."""
    store = SqliteStore(tmp_path)
    run_sql(tmp_path / name, change, "PRAGMA user_version = 99")

    with pytest.raises(LaterStoreError, match="later version of Lockgate"), store.reading():
        pass
    with pytest.raises(LaterStoreError, match="later version of Lockgate"), store.writing() as work:
        work.add_batch(INGESTED, b"raw", [])


@pytest.mark.clause("LI-719")
def test_a_snapshot_is_taken_of_both_files_before_any_table_is_read(tmp_path: Path) -> None:
    """What is committed afterwards, to either, is not in it."""
    store = SqliteStore(tmp_path)
    files = SqliteFile(tmp_path / CONTROL, CONTROL_SCHEMA), SqliteFile(tmp_path / RUNS, RUNS_SCHEMA)

    with files[0].lent() as control, files[1].lent() as runs:
        snapshot(control, runs, "default")
        with store.writing() as work:
            work.add_batch(INGESTED, b"raw", [])
        seen = [control.execute("SELECT * FROM batches").fetchall(), runs.execute("SELECT * FROM segments").fetchall()]

    with store.reading() as later:
        assert later.segment(INGESTED.digest) == b"raw"
    assert seen == [[], []]


@pytest.mark.clause("LI-720")
def test_a_connection_that_could_not_begin_sorts_in_files_again(tmp_path: Path) -> None:
    """Only while a transaction begins is what is temporary kept in memory; what is sorted later may be large."""
    path = tmp_path / CONTROL
    file = SqliteFile(path, CONTROL_SCHEMA, busy_seconds=0.01)

    with closing(sqlite3.connect(path, isolation_level=None)) as other, file.lent() as connection:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            file.begin(connection)
        held = connection.execute("PRAGMA temp_store").fetchone()

    assert held == (0,)


@pytest.mark.clause("LI-31")
def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    """Its tables stay as they are."""
    run_sql(tmp_path / CONTROL, "CREATE TABLE theirs (a)")

    with pytest.raises(DataError, match="another program"):
        SqliteStore(tmp_path)


@pytest.mark.clause("LI-31")
def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """A text, a half-copied backup."""
    (tmp_path / CONTROL).write_bytes(b"something else entirely " * 100)

    with pytest.raises(DataError, match="not a sound store"):
        SqliteStore(tmp_path)


@pytest.mark.clause("LI-31")
def test_a_store_that_another_holds_says_so(tmp_path: Path) -> None:
    """After a bounded wait, and with nothing stored."""
    store = SqliteStore(tmp_path, busy_seconds=0.05)

    with store.writing(), pytest.raises(TryAgainError, match="held by another process"), store.writing():
        pass


@pytest.mark.clause("LI-31")
def test_a_full_disk_says_so_and_keeps_what_was_there(tmp_path: Path) -> None:
    """The transaction that did not fit is gone whole."""
    store = SqliteStore(tmp_path)
    with store.writing() as work:
        work.put_app(APP)

    with pytest.raises(UnreachableError, match="Make room"), store.writing() as work:  # noqa: PT012 -- the block raises
        work._control.execute("PRAGMA max_page_count = 1")
        for number in range(10_000):
            work.put_app(replace(APP, name=f"app-{number}"))

    with store.reading() as seen:
        assert seen.apps() == (APP,)


@pytest.mark.clause("LI-31")
def test_a_file_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    """Who may only read is told who may write."""
    SqliteStore(tmp_path).close()
    path = tmp_path / CONTROL

    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with closing(reader), pytest.raises(sqlite3.OperationalError) as caught:
        reader.execute("DELETE FROM apps")

    assert isinstance(explain(caught.value, path), NotPermittedError)


@pytest.mark.clause("LI-31")
@pytest.mark.parametrize("name", ["SQLITE_BUSY_RECOVERY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "SQLITE_PROTOCOL"])
def test_whatever_sqlite_calls_a_store_that_others_hold_it_is_to_be_tried_again(tmp_path: Path, name: str) -> None:
    """It is no fault of Lockgate's."""
    error = sqlite3.OperationalError("locking protocol")
    error.sqlite_errorname = name

    assert isinstance(explain(error, tmp_path / CONTROL), TryAgainError)


@pytest.mark.clause("LI-31")
def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "home").write_text("", encoding="utf-8")

    with pytest.raises(UnreachableError, match="cannot be made"):
        SqliteStore(tmp_path / "home" / "deep")


@pytest.mark.clause("LI-32")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipts SET body = x'00'",
        "DELETE FROM receipts",
        "UPDATE nodes SET hash = zeroblob(32)",
        "DELETE FROM nodes",
        "UPDATE checkpoints SET note = x'00'",
        "DELETE FROM checkpoints",
        "UPDATE rollouts SET weight = 101",
        "UPDATE rollouts SET revision = 0",
        "UPDATE slots SET digest = 'sha256:00'",
        "INSERT INTO cells VALUES ('default', 'web', 0, 'v3', x'90', 1, x'00')",
    ],
)
def test_the_schema_refuses_what_no_program_may_do(tmp_path: Path, statement: str) -> None:
    """A fault in the program meets a second barrier."""
    store = SqliteStore(tmp_path)
    grow(store, sample_receipt(0))
    with store.writing() as work:
        work.save(sample_trial())
        work.put_slot("web", replace(SLOT, sealed_at=70, digest="sha256:aa"))

    with pytest.raises(sqlite3.IntegrityError):
        run_sql(tmp_path / CONTROL, statement)


@pytest.mark.clause("LI-32")
def test_the_schema_knows_one_canary_of_an_app(tmp_path: Path) -> None:
    """Two at once would move the same traffic; shadows are any number."""
    store = SqliteStore(tmp_path)
    shadow = sample_trial("rol_3")
    with store.writing() as work:
        work.save(sample_trial())
        work.save(replace(shadow, rollout=replace(shadow.rollout, mode=Mode.SHADOW)))

    with pytest.raises(LockgateError), store.writing() as work:
        work.save(sample_trial("rol_2"))


@pytest.mark.clause("LI-30")
def test_raw_runs_whose_batch_was_not_kept_do_no_harm(tmp_path: Path) -> None:
    """They are committed first; the batch that comes again is taken."""
    store = SqliteStore(tmp_path)
    with store.writing() as work:
        work.put_slot("web", SLOT)
        work.add_batch(INGESTED, b"raw", [("web", 0)])
    run_sql(tmp_path / CONTROL, "DELETE FROM slot_batches", "DELETE FROM batches")

    with store.writing() as work:
        work.add_batch(INGESTED, b"raw", [("web", 0)])

    with store.reading() as seen:
        assert (seen.ingested(INGESTED.digest), seen.segment(INGESTED.digest)) == (INGESTED, b"raw")


@pytest.mark.clause("LI-30")
def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """A connection is in WAL mode with full synchronisation, whichever it is."""
    store = SqliteStore(tmp_path)

    with store.reading() as one, store.reading() as other:
        modes = [
            seen._control.execute(f"PRAGMA {name}").fetchone()[0]
            for seen in (one, other)
            for name in ("journal_mode", "synchronous")
        ]

    assert modes == ["wal", 2, "wal", 2]
