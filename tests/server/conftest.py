# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a server on a store in memory goes out, and a rollout on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.rows import OTHER_APP
from tests.server.served import Caller, Served, served
from tests.spec.line import APP, EQUAL, created, world


@pytest.fixture
def door() -> Iterator[Served]:
    """Return a server whose clock stands still until it is moved."""
    with served(world()) as opened:
        yield opened


@pytest.fixture
def admin(door: Served) -> Caller:
    """Return who may do everything in the default organisation."""
    return door.caller("admin")


@pytest.fixture(scope="module")
def shop() -> Iterator[Served]:
    """Return a server on two apps on trial; its tests share it, and each finds the first one on trial."""
    here = world()
    here.serve_both(APP, {"v36": 60, "abc123": 60}, EQUAL, minutes=1)
    created(here, app=OTHER_APP, candidate="theirs")
    with served(here) as opened:
        yield opened
