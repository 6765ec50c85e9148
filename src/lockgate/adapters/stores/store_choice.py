# SPDX-License-Identifier: Apache-2.0
"""The environment, or a place that a program names, comes in; the store that is there goes out.

A store's technology is imported when it is chosen.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lockgate.errors import UsageError
from lockgate.ports.mending import Mendings
from lockgate.ports.store import Store

STORE = "LOCKGATE_STORE"


def _unheard() -> None:
    """Tell nobody of a wait."""


def store_url() -> str | None:
    """Return the address of the database that is this machine's store; None where that is in LOCKGATE_HOME."""
    return os.environ.get(STORE) or None


def own_store(home: Path, on_wait: Callable[[], None] = _unheard, *, is_only_read: bool = False) -> Store:
    """Return the store that LOCKGATE_STORE names, or without it the one in LOCKGATE_HOME."""
    url = store_url()
    return sqlite_store(home, on_wait, is_only_read=is_only_read) if url is None else postgres_store(url, on_wait)


def has_own_store(home: Path) -> bool:
    """Say whether the database that LOCKGATE_STORE names, or without it LOCKGATE_HOME, holds a store already."""
    url = store_url()
    if url is None:
        return has_sqlite_store(home)
    from lockgate.adapters.stores.busy_seconds import busy_seconds
    from lockgate.adapters.stores.postgres import store as postgres

    return postgres.has_store(url, busy_seconds())


def database_place() -> str | None:
    """Return how a person is told which database LOCKGATE_STORE names, without its password; None without one."""
    url = store_url()
    if url is None:
        return None
    from lockgate.adapters.stores.postgres.connections import Connections

    return Connections(url).place


def has_sqlite_store(folder: Path) -> bool:
    """Say whether a folder holds a store already, whole or not."""
    from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS

    return any((folder / name).exists() for name in (CONTROL, RUNS))


def refuse_copying_files() -> None:
    """Refuse to copy files where the store is none."""
    if store_url() is not None:
        raise UsageError(
            "the store is a PostgreSQL database, which `pg_dump` copies",
            advice="docs/howto/postgresql.md says how; copy the folder of keys besides.",
        )


def own_mendings(home: Path) -> Mendings:
    """Return what makes again what can be made of the store that LOCKGATE_STORE names, or the one in LOCKGATE_HOME."""
    from lockgate.adapters.stores.busy_seconds import busy_seconds

    url = store_url()
    if url is None:
        from lockgate.adapters.stores.sqlite.mending import SqliteMendings

        return SqliteMendings(home.resolve(), busy_seconds())
    from lockgate.adapters.stores.postgres.mending import PostgresMendings

    return PostgresMendings(url, busy_seconds())


def postgres_store(url: str, on_wait: Callable[[], None] = _unheard) -> Store:
    """Return the store of a database; it waits for other transactions as long as LOCKGATE_BUSY_SECONDS says."""
    from lockgate.adapters.stores.busy_seconds import busy_seconds
    from lockgate.adapters.stores.postgres.store import PostgresStore

    return PostgresStore(url, busy_seconds(), on_wait)


def sqlite_store(folder: Path, on_wait: Callable[[], None] = _unheard, *, is_only_read: bool = False) -> Store:
    """Return the store of a folder; it waits for other processes as long as LOCKGATE_BUSY_SECONDS says."""
    from lockgate.adapters.stores.busy_seconds import busy_seconds
    from lockgate.adapters.stores.sqlite.only_read import store_to_read
    from lockgate.adapters.stores.sqlite.store import SqliteStore

    return (store_to_read if is_only_read else SqliteStore)(folder, busy_seconds(), on_wait)


def memory_store() -> Store:
    """Return a store that ends with the process."""
    from lockgate.adapters.stores.memory.store import MemoryStore

    return MemoryStore()
