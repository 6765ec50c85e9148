# SPDX-License-Identifier: Apache-2.0
"""A cluster comes in; stores in a database of their own go out, and are closed with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from tests.postgresql import Cluster

# Opens a store of the test's database once more, with other patience where it is given.
Opened = Callable[..., PostgresStore]


@pytest.fixture
def url(postgresql: Cluster) -> str:
    """Return the address of an empty database for the role that owns it."""
    return postgresql.new_database()


@pytest.fixture
def opened(url: str) -> Iterator[Opened]:
    """Give what opens the store in the database, as often as one likes, each time as another server."""
    stores: list[PostgresStore] = []

    def again(**how: Any) -> PostgresStore:
        stores.append(PostgresStore(**{"url": url} | how))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


def by_hand(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Carry out SQL that Lockgate never sends, in one transaction; return the rows of the last statement."""
    with psycopg.connect(url) as link:
        for statement in statements:
            done = link.execute(statement.encode())
        return done.fetchall() if done.description else []
