# SPDX-License-Identifier: Apache-2.0
"""A module of tests comes in; its worlds are on a store in memory, and on PostgreSQL in the lane of that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.testing.world import World


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the worlds of a module's tests be on a store in memory, and on PostgreSQL in its lane."""
    if request.param == "memory":
        yield
        return
    cluster, opened = request.getfixturevalue("postgresql"), list[PostgresStore]()

    def world() -> World:
        opened.append(PostgresStore(cluster.new_database()))
        return World(opened[-1], 1)

    monkeypatch.setattr(request.module, "world", world)
    yield
    for store in opened:
        store.close()
