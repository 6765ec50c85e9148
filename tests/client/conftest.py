# SPDX-License-Identifier: Apache-2.0
"""A server, and a client with a key for everything, for whoever calls it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lockgate.client import Client
from tests.server.served import Served, served
from tests.spec.line import world


@pytest.fixture
def door() -> Iterator[Served]:
    """Return a server whose clock stands still."""
    with served(world()) as opened:
        yield opened


@pytest.fixture
def client(door: Served) -> Iterator[Client]:
    """Return a client with a key for everything."""
    with Client(str(door.http.base_url), door.key("admin").token) as found:
        yield found
