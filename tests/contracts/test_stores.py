# SPDX-License-Identifier: Apache-2.0
"""Every store comes in; it must keep the contract of stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.ports.store import Store
from lockgate.testing.store_contract import LastingStoreContract, StoreContract
from lockgate.wiring import memory_store, sqlite_store


@pytest.mark.clause("LI-30", "LI-61", "LI-67", "LI-71", "LI-110", "SV-02")
class TestMemory(StoreContract):
    """The store of tests."""

    def open(self, folder: Path) -> Store:  # noqa: ARG002 -- memory has no folder
        """Return a store that knows nothing of the folder."""
        return memory_store()


@pytest.mark.clause("LI-30", "LI-61", "LI-67", "LI-71", "LI-110", "SV-02")
class TestSqlite(LastingStoreContract):
    """The default store."""

    def open(self, folder: Path) -> Store:
        """Return the store of a folder."""
        return sqlite_store(folder)
