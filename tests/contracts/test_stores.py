# SPDX-License-Identifier: Apache-2.0
"""Every store comes in; it must keep the contract of stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.ports.store import Store
from lockgate.testing.store_contract import LastingStoreContract, StoreContract
from lockgate.wiring import memory_store, sqlite_store
from tests.postgresql import Cluster


@pytest.mark.clause("LI-30", "LI-61", "LI-67", "LI-71", "LI-110", "SV-02", "RF-01")
class TestMemory(StoreContract):
    """The store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-30", "LI-61", "LI-67", "LI-71", "LI-110", "SV-02", "RF-01")
class TestSqlite(LastingStoreContract):
    """The default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)


@pytest.mark.postgres
@pytest.mark.clause("LI-30", "LI-61", "LI-67", "LI-71", "LI-110", "SV-02", "SV-100", "RF-01")
class TestPostgres(LastingStoreContract):
    """The store of many servers; each folder stands for a database."""

    @pytest.fixture(autouse=True)
    def databases(self, postgresql: Cluster) -> Iterator[None]:
        """Lend databases, and close what was opened on them."""
        self.cluster, self.urls, self.opened = postgresql, dict[Path, str](), list[PostgresStore]()
        yield
        for store in self.opened:
            store.close()

    def open(self, folder: Path) -> Store:
        """Return the store of the database that a folder stands for."""
        url = self.urls.setdefault(folder, "") or self.cluster.new_database()
        self.urls[folder] = url
        store = PostgresStore(url)
        self.opened.append(store)
        return store
