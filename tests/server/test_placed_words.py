# SPDX-License-Identifier: Apache-2.0
"""Words that name what only a path may name come in; that a key for other apps reaches nothing by them is held."""

from __future__ import annotations

import pytest

from lockgate.operations.asking.queries import receipts_of
from tests.server.rows import OTHER_APP, rollout_of
from tests.server.served import API, Served
from tests.spec.line import APP


@pytest.mark.clause("SV-986")
def test_a_key_of_other_apps_takes_no_turn_by_a_word(shop: Served) -> None:
    """What names no rollout in its path is for all apps of the key, whatever rollout its words name."""
    rollout = rollout_of(shop)
    before = len(receipts_of(rollout, shop.world.house))
    stranger = shop.caller("admin", apps=[OTHER_APP])

    answer = stranger.post(f"{API}/screens/tick", {"words": {"rollout_id": rollout}})

    assert answer.status_code == 400
    assert rollout not in answer.text
    assert len(receipts_of(rollout, shop.world.house)) == before


@pytest.mark.clause("SV-986")
@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/screens/keys-list", "key_id"),
        ("/rollouts/{}/screens/show", "rollout_id"),
        (f"/apps/{APP}/screens/runs", "app_id"),
    ],
)
def test_what_a_path_names_no_word_names_again(shop: Served, path: str, word: str) -> None:
    """It is refused, because one of the two would be passed over in silence."""
    rollout = rollout_of(shop)

    answer = shop.caller("admin").post(f"{API}{path.format(rollout)}", {"words": {word: rollout}})

    assert (answer.status_code, answer.json()["detail"]) == (400, f"{word} is no word here")
