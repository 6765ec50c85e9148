# SPDX-License-Identifier: Apache-2.0
"""The id of a receipt comes in from whose key is for another app; the server must say nothing of it."""

from __future__ import annotations

import pytest

from tests.server.served import Served
from tests.spec.line import created


@pytest.mark.clause("LI-661")
def test_a_program_finds_a_receipt_by_its_id(door: Served) -> None:
    """In place of its rollout's, whose id the answer has."""
    rollout_id = created(door.world).rollout.id
    with door.world.house.store.reading() as seen:
        there = seen.receipts(rollout_id)[0].id

    answer = door.caller("auditor").get(f"/api/v1/rollouts/{there}/receipts").json()

    assert answer["id"] == rollout_id
    assert [each["receipt_id"] for each in answer["receipts"]] == [there]


@pytest.mark.clause("LI-663")
def test_a_key_for_another_app_learns_nothing_of_a_receipt(door: Served) -> None:
    """What is there is refused as what is not."""
    rollout_id = created(door.world).rollout.id
    with door.world.house.store.reading() as seen:
        there = seen.receipts(rollout_id)[0].id
    stranger, owner = door.caller("auditor", apps=["another"]), door.caller("auditor")

    path = "/api/v1/rollouts/{}/screens/receipts"
    answers = {name: stranger.post(path.format(name)).json() for name in (there, "rcp_none")}

    assert owner.post(path.format(there)).status_code == 200
    assert {(each["status"], each["detail"].replace(name, "ID")) for name, each in answers.items()} == {
        (404, "there is no receipt ID")
    }
