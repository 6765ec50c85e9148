# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; a rollout that began and was paused goes out as the files and the envelopes of its receipts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockgate.core.receipt import operator
from lockgate.operations.bundle.saved_receipts import saved_receipts
from lockgate.operations.create import Order, create
from lockgate.operations.steering.pause import pause
from lockgate.testing.world import World
from lockgate.wiring import memory_store


@pytest.fixture
def files() -> dict[str, bytes]:
    """Return the files of two receipts."""
    house = World(memory_store()).house
    rollout = create(Order(app="app", baseline="v1", candidate="v2", policy={"mode": "canary"}), house).rollout
    pause(rollout.id, operator("ann", "a test"), house)
    return dict(saved_receipts(rollout.id, house))


@pytest.fixture
def signed(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return the envelopes of both."""
    return [json.loads(files[f"receipt-{seq}.json"]) for seq in (1, 2)]
