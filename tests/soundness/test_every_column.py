# SPDX-License-Identifier: Apache-2.0
"""Every column and row of a store is changed behind the program's back; fsck finds it, or a page says why it cannot."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS
from lockgate.core.retention import Retention
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.copy_store import copy_store
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.soundness.outside import outside_flaws
from lockgate.ports.house import House
from lockgate.wiring import copy_source, copy_target, postgres_store, run_batches
from tests.faults import steps
from tests.postgresql import Cluster
from tests.soundness.everything import AFTER, fill
from tests.soundness.unseen import MADE, ROWS, Cell, add_functions, named, named_cells

pytestmark = pytest.mark.tampers
NOW = AFTER + 40
# When runs of the last buckets, that nobody has sealed since, are old enough to go.
LATER = AFTER + 240
# One row of each table, somewhere in its middle.
_MIDDLE = "SELECT {} FROM {} ORDER BY {} LIMIT 1 OFFSET (SELECT count(*) / 2 FROM {})"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store with rows in every table, in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("filled") / "home"
    folder.mkdir()
    fill(folder)
    assert is_sound(steps.house_of(folder, NOW))
    return folder


def is_sound(house: House) -> bool:
    """Say whether a check finds nothing, in the store or in what is remembered of it."""
    return fsck(house, decode=run_batches().decode).is_sound and not outside_flaws(house, None)[0]


def other(value: object) -> object:
    """Return a value of the same kind."""
    if isinstance(value, bytes):
        # In the middle of what is packed there are names, too: one that nobody reads changes nothing.
        return value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1"
    if isinstance(value, str):
        return f"{value}x"
    return value + 1 if isinstance(value, int | float) else 1


def tables_of(folder: Path, name: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return of each table of a file the columns, and those by which a row is found."""
    with closing(sqlite3.connect(folder / name)) as file:
        tables = [table for (table,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        read = {
            table: file.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)).fetchall() for table in tables
        }
    return {
        table: ([each for each, _ in rows], [each for each, key in rows if key] or ["rowid"])
        for table, rows in read.items()
    }


@contextmanager
def unguarded(folder: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open a file of a store without the triggers that guard its rows, which are there again afterwards."""
    with closing(sqlite3.connect(folder / name, isolation_level=None)) as file:
        triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for trigger, _ in triggers:
            file.execute(f"DROP TRIGGER {trigger}")
        yield file
        for _, written in triggers:
            file.execute(written)


def changed(folder: Path, name: str, table: str, column: str, keys: list[str]) -> bool:
    """Change a column of one row, or take the row away; say whether that could be done at all."""
    with unguarded(folder, name) as file:
        listed, what = ", ".join(keys), "1" if column == ROWS else column
        row = file.execute(_MIDDLE.format(f"{listed}, {what}", table, listed, table)).fetchone()
        where = " AND ".join(f"{key} = ?" for key in keys)
        try:
            if column == ROWS:
                file.execute(f"DELETE FROM {table} WHERE {where}", row[:-1])  # noqa: S608 -- the tables of the schema
            else:
                file.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (other(row[-1]), *row[:-1]))  # noqa: S608 -- the tables of the schema
        except sqlite3.IntegrityError:
            return False
    return True


def is_named(table: str, column: str) -> bool:
    """Say whether the page names what was changed; with its organisation a row is gone for who looks."""
    unseen = named().get(table, set())
    return column in unseen or (column == "org" and ROWS in unseen)


def sound_after_all(filled: Path, folder: Path) -> Iterator[Cell]:
    """Yield which changes of one row of a copy a check calls sound."""
    for name in (CONTROL, RUNS):
        for table, (columns, keys) in tables_of(filled, name).items():
            for column in (ROWS, *columns):
                copy = folder / f"{table}-{column}"
                shutil.copytree(filled, copy)
                if changed(copy, name, table, column, keys) and is_sound(steps.house_of(copy, NOW)):
                    yield table, column
                shutil.rmtree(copy)


def taken(link: psycopg.Connection, table: str, column: str, columns: dict[str, bool]) -> None:
    """Change a column of one row of a database, or take the row away."""
    keys = [name for name, is_key in columns.items() if is_key]
    listed, what = ", ".join(keys), "1" if column == ROWS else column
    row = link.execute(_MIDDLE.format(f"{listed}, {what}", table, listed, table).encode()).fetchone()
    assert row is not None, table
    where = " AND ".join(f"{key} = %s" for key in keys)
    if column == ROWS:
        link.execute(f"DELETE FROM {table} WHERE {where}".encode(), row[:-1])  # noqa: S608 -- the tables of the schema
    else:
        link.execute(f"UPDATE {table} SET {column} = %s WHERE {where}".encode(), (other(row[-1]), *row[:-1]))  # noqa: S608 -- the tables of the schema


def sound_in_database(link: psycopg.Connection, house: House) -> Iterator[Cell]:
    """Yield which changes of one row a check calls sound; each is undone before the next."""
    for table, columns in database_tables(link).items():
        link.execute(f"CREATE TEMPORARY TABLE before AS SELECT * FROM {table}".encode())  # noqa: S608 -- the tables of the schema
        for column in (ROWS, *columns):
            with suppress(psycopg.IntegrityError):
                taken(link, table, column, columns)
                if is_sound(house):
                    yield table, column
            link.execute(f"DELETE FROM {table}".encode())  # noqa: S608 -- the tables of the schema
            link.execute(f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM before".encode())  # noqa: S608 -- the tables of the schema
        link.execute("DROP TABLE before")


def database_tables(link: psycopg.Connection) -> dict[str, dict[str, bool]]:
    """Return of each table of the schema its columns, and whether a row is found by it."""
    rows = link.execute(
        "SELECT c.relname, a.attname, coalesce(a.attnum = ANY (i.indkey), false) FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
        " LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        " WHERE c.relnamespace = 'lockgate'::regnamespace AND c.relkind = 'r' AND c.relname <> 'versions'"
        " ORDER BY c.relname, a.attnum"
    ).fetchall()
    found: dict[str, dict[str, bool]] = {}
    for table, column, is_key in rows:
        found.setdefault(table, {})[column] = is_key
    return found


@pytest.mark.postgres
@pytest.mark.clause("IO-30")
def test_each_column_and_row_of_a_database_is_found_or_named_as_unseen(
    filled: Path, tmp_path: Path, postgresql: Cluster
) -> None:
    """As in files, of which the same list is true."""
    source, url = tmp_path / "source", postgresql.new_database()
    shutil.copytree(filled, source)
    with copy_target(url) as there, copy_source(str(source)) as here:
        copy_store(here, there, lambda _what, _number: None)
    house = replace(steps.house_of(filled, NOW), store=postgres_store(url))
    assert is_sound(house)
    with psycopg.connect(postgresql.url(url.rpartition("/")[2]), autocommit=True) as link:
        link.execute("SET session_replication_role = replica")
        link.execute("SET search_path = lockgate")
        found = set(sound_in_database(link, house))
        cells = {(table, column) for table, columns in database_tables(link).items() for column in (ROWS, *columns)}

    assert {each for each in found if not is_named(*each)} == set()
    assert (named_cells() & cells) - found <= MADE.keys()


@pytest.mark.slow
@pytest.mark.clause("IO-30")
def test_each_column_and_row_of_files_is_found_or_named_as_unseen(filled: Path, tmp_path: Path) -> None:
    """The tables and columns are those of the schema, so that a new one is in here from the day that it is made."""
    found = set(sound_after_all(filled, tmp_path))

    assert {each for each in found if not is_named(*each)} == set()
    assert named_cells() - found <= MADE.keys()


@pytest.mark.clause("IO-40")
def test_what_is_named_as_unseen_is_not_found(filled: Path, tmp_path: Path) -> None:
    """Where a change of the middle row is found, one of an open bucket is not, whose raw runs are gone, or a member."""
    shutil.copytree(filled, tmp_path / "pruned")
    prune(steps.house_of(tmp_path / "pruned", LATER), Retention(raw_s=3_600, buckets_s=365 * 86_400))
    seen = []
    for (table, column), statement in MADE.items():
        copy = tmp_path / f"{table}-{column}"
        shutil.copytree(tmp_path / "pruned", copy)
        with unguarded(copy, CONTROL) as file:
            add_functions(file)
            assert file.execute(statement).rowcount
        seen += [] if is_sound(steps.house_of(copy, LATER)) else [(table, column)]

    assert seen == []
