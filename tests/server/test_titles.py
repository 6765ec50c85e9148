# SPDX-License-Identifier: Apache-2.0
"""Refusals of one kind come in that have several reasons; the title of the kind is true of each."""

from __future__ import annotations

import pytest

from tests.server.served import API, served
from tests.spec.line import created, world


@pytest.mark.clause("SV-242")
def test_a_title_is_true_of_every_refusal_of_its_kind() -> None:
    """A cursor of no list, a weight of a revision that is not there yet, and the sight of half a step."""
    here = world()
    rollout = created(here).rollout.id
    with served(here) as door:
        caller = door.caller("admin")
        cursor = caller.get(f"{API}/rollouts", cursor="abc").json()
        ahead = caller.post(f"{API}/rollouts/{rollout}/weight", {"weight": 5, "revision": 99}).json()
        half = caller.post(
            f"{API}/rollouts/{rollout}/screens/promote", {"words": {"reason": "seen", "step": 0}, "screen": {}}
        ).json()

    assert cursor["title"] == "The cursor is none of this list."
    assert ahead["title"] == "It stands otherwise than the call takes it to."
    assert half["advice"] == "`lockgate show --json` has them: --step N --revision N."
