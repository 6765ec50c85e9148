# SPDX-License-Identifier: Apache-2.0
"""A server comes in; a receiver is declared and says what is live by the client, and the server knows both."""

from __future__ import annotations

import pytest

from lockgate.client import Client
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.queries import find_rollout
from tests.server.served import Served, served
from tests.spec.line import APP, world

URL = "https://8.8.8.8/hook"


def known(door: Served, rollout_id: str) -> Rollout:
    """Return a rollout as it is stored."""
    return find_rollout(rollout_id, door.world.house)


@pytest.mark.clause("CL-01")
def test_a_weight_that_is_live_is_acknowledged_by_the_client() -> None:
    """The rollout knows it from then on."""
    with served(world()) as door, Client(str(door.http.base_url), door.key("admin").token) as client:
        rollout = client.create(APP, "abc123", baseline="v36", mode="canary", steps="5,100")
        before = known(door, rollout["id"]).acknowledged

        after = client.acknowledge(rollout["id"], 5, revision=rollout["revision"])

        assert (before, known(door, rollout["id"]).acknowledged, after["id"]) == (None, 5.0, rollout["id"])


@pytest.mark.clause("CL-01")
def test_a_receiver_is_declared_by_the_client() -> None:
    """Its secret is in the answer, and it hears what it was declared for."""
    with served(world()) as door, Client(str(door.http.base_url), door.key("admin").token) as client:
        every = client.create_webhook(URL)
        one = client.create_webhook(URL, app_id=APP, events=["rollout.rollback"])

    assert (every["secret"] or "").startswith("whsec_")
    assert (every["app_id"], len(every["events"]) > 1) == (None, True)
    assert (one["url"], one["app_id"], one["events"]) == (URL, APP, ["rollout.rollback"])
