# SPDX-License-Identifier: Apache-2.0
"""Every store comes in; it must keep the contract of stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.ports.store import Store
from lockgate.testing.cells_contract import CellsContract
from lockgate.testing.parts_contract import PartsContract
from lockgate.testing.retention_contract import RetentionContract
from lockgate.testing.run_ids_contract import RunIdsContract, SharedRunIdsContract
from lockgate.testing.store_contract import LastingStoreContract, StoreContract
from lockgate.wiring import memory_store, sqlite_store


@pytest.mark.clause("LI-30")
class TestMemory(StoreContract):
    """The store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-30")
class TestSqlite(LastingStoreContract):
    """The default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)


@pytest.mark.clause("LI-67")
class TestMemoryRunIds(RunIdsContract):
    """Ids in the store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-67")
class TestSqliteRunIds(SharedRunIdsContract):
    """Ids in the default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)


@pytest.mark.clause("LI-110")
class TestPartsInMemory(PartsContract):
    """The store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-110")
class TestPartsInSqlite(PartsContract):
    """The default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)


@pytest.mark.clause("LI-71")
class TestMemoryRetention(RetentionContract):
    """What the store of tests lets go."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-71")
class TestSqliteRetention(RetentionContract):
    """What the default store lets go."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)


@pytest.mark.clause("LI-61")
class TestMemoryCells(CellsContract):
    """Cells in the store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-61")
class TestSqliteCells(CellsContract):
    """Cells in the default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)
