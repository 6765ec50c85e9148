# SPDX-License-Identifier: Apache-2.0
"""Marks come in, more than are looked at or sorted at once; each must be known as long as it counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lockgate.core.instant import SECOND
from lockgate.ports.store import Store
from lockgate.testing.run_ids_contract import add, known
from lockgate.wiring import memory_store, sqlite_store


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store of each kind."""
    return memory_store() if request.param == "memory" else sqlite_store(tmp_path)


@pytest.mark.clause("LI-67")
def test_the_oldest_of_too_many_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking takes bounded memory whatever the traffic is."""
    for name in ("id_window", "memory.run_ids"):
        monkeypatch.setattr(f"lockgate.adapters.stores.{name}.MAX_IDS", 5)
    batches = [np.arange(3 * number, 3 * number + 3) for number in range(3)]
    for number, marks in enumerate(batches):
        add(store, "web", number, marks)

    assert known(store, "web", 3, np.arange(9)) == [False] * 3 + [True] * 6


@pytest.mark.clause("LI-67")
def test_many_marks_are_known_each(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the store does to find them fast."""
    monkeypatch.setattr("lockgate.adapters.stores.id_window.SMALLEST", 8)
    drawn = np.random.default_rng(3).integers(-(2**63), 2**63 - 1, (40, 30))
    for number, marks in enumerate(drawn):
        assert not any(known(store, "web", number * SECOND, marks))
        add(store, "web", number * SECOND, marks)

    found = [all(known(store, "web", 40 * SECOND, marks)) for marks in drawn]

    assert found == [number >= 30 for number in range(40)]
