# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a server on a store in memory goes out, and a rollout on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.served import Caller, Served, served
from tests.spec.line import world


@pytest.fixture
def door() -> Iterator[Served]:
    """Return a server whose clock stands still until it is moved."""
    with served(world()) as opened:
        yield opened


@pytest.fixture
def admin(door: Served) -> Caller:
    """Return who may do everything in the default organisation."""
    return door.caller("admin")
