# SPDX-License-Identifier: Apache-2.0
"""A folder, or nothing, comes in; the stores that other processes left there, or in databases, go out to be read."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite.file import BUSY_SECONDS
from lockgate.adapters.stores.sqlite.only_read import store_to_read
from lockgate.adapters.stores.sqlite.store import CONTROL, SqliteStore, is_there
from lockgate.errors import LockgateError
from lockgate.ports.store import Store
from tests.postgresql import Cluster

ORGS = "SELECT DISTINCT org FROM receipts ORDER BY org"
THEIR_ORGS = "SELECT DISTINCT org FROM lockgate.receipts ORDER BY org"
THERE = "SELECT to_regclass('lockgate.receipts')"
# A database by its port and name, or a folder.
Place = tuple[str, str] | Path
_DATABASES: dict[str, Cluster] = {}
_BY_HAND: set[Place] = set()
_HOUSED: WeakSet[Store] = WeakSet()
_new_database = Cluster.new_database


@dataclass(frozen=True, slots=True)
class Found:
    """A store, and one of the organisations that have receipts in it."""

    store: Store
    org: str


def begin_noting() -> None:
    """Note from here on each database that is made for a test, and which stores a test writes to with no house."""
    Cluster.new_database = _noted  # type: ignore[method-assign]  # for the whole process
    for kind in (SqliteStore, PostgresStore):
        kind.writing = _noting(kind.writing)  # type: ignore[method-assign]  # as above


def note_house(store: Store) -> None:
    """Note that what is written into a store comes from operations; other rows a test makes up."""
    _HOUSED.add(store)


def place_of(store: SqliteStore | PostgresStore) -> Place:
    """Return where a store is, by whichever way it was reached."""
    return store._control.path.parent.resolve() if isinstance(store, SqliteStore) else _place(store.url)


def _noted(self: Cluster, like: str = "template1") -> str:
    url = _new_database(self, like)
    _DATABASES[url] = self
    return url


def _noting(writing: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(writing)
    def noting(self: SqliteStore | PostgresStore, *args: Any, **named: Any) -> Any:
        if self not in _HOUSED:
            _BY_HAND.add(place_of(self))
        return writing(self, *args, **named)

    return noting


def sqlite_stores(folder: Path, known: Collection[Place]) -> Iterator[Found | None]:
    """Yield the stores below a folder but those that are known, or filled by hand; None for one that cannot be read."""
    for control in sorted(folder.rglob(CONTROL)):
        if control.parent.resolve() not in (_BY_HAND | {*known}) and is_there(control):
            yield from _of_folder(control.parent)


def _of_folder(folder: Path) -> Iterator[Found | None]:
    try:
        store = store_to_read(folder, BUSY_SECONDS, lambda: None)
        with store._control.lent() as control:
            orgs = [str(org) for (org,) in control.execute(ORGS)]
    except (LockgateError, sqlite3.Error, OSError):
        yield None
        return
    try:
        yield from (Found(store, org) for org in orgs)
    finally:
        store.close()


def database_stores(known: Collection[Place]) -> Iterator[Found | None]:
    """Yield the same of the databases that were made since this was last asked."""
    noted = dict(_DATABASES)
    _DATABASES.clear()
    return _of_databases({url: own for url, own in noted.items() if _place(url) not in (_BY_HAND | {*known})})


def _place(url: str) -> tuple[str, str]:
    parts = conninfo_to_dict(url)
    return str(parts["port"]), str(parts["dbname"])


def _of_databases(noted: dict[str, Cluster]) -> Iterator[Found | None]:
    for url, own in noted.items():
        try:
            with psycopg.connect(own.url(_place(url)[1])) as link:
                there = link.execute(THERE).fetchone() != (None,)
                orgs = [str(org) for (org,) in link.execute(THEIR_ORGS)] if there else []
        except psycopg.Error:
            yield None
            continue
        yield from _of_url(url, orgs)


def _of_url(url: str, orgs: Sequence[str]) -> Iterator[Found | None]:
    if orgs:
        store = PostgresStore(url)
        try:
            yield from (Found(store, org) for org in orgs)
        finally:
            store.close()
