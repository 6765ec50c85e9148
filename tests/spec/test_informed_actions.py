# SPDX-License-Identifier: Apache-2.0
"""Who goes on does so on all that is sealed: docs/spec.md, Operator actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.decision.intervention import Seen
from lockgate.errors import NotPermittedError
from lockgate.operations.asking.queries import explain
from lockgate.operations.line import reading
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.tick import tick
from lockgate.testing.world import MINUTE, Law, World
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import APP, EQUAL, WORSE, created, predicate, receipts
from tests.spec.operators import ANN, kept

HALF = {"steps": [{"weight": 50, "approval": "manual"}, {"weight": 100}]}


@pytest.fixture(params=["memory", "sqlite"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return a world on each kind of store."""
    return World(memory_store() if request.param == "memory" else sqlite_store(tmp_path), seed=1)


def unread(here: World, laws: dict[str, Law]) -> str:
    """Return the id of a canary that was ticked once, with sealed buckets that no tick has read."""
    made = created(here, policy=HALF).rollout
    here.serve(APP, 200, EQUAL, "v36")
    here.clock.advance(MINUTE)
    tick(made.id, here.house)
    for _ in range(5):
        here.serve(APP, 800, laws, "v36")
        here.clock.advance(MINUTE)
    return made.id


@pytest.mark.clause("LI-380")
def test_nobody_promotes_over_sealed_buckets_that_the_next_tick_would_roll_back_on(here: World) -> None:
    """A promotion is refused by harm that is sealed and that no tick has read, and the tick then rolls back."""
    rollout_id = unread(here, WORSE)
    before = kept(here)

    with pytest.raises(NotPermittedError, match="the next tick will rollback"):
        promote(rollout_id, Seen(0, 1), ANN, here.house)

    assert kept(here) == before
    assert tick(rollout_id, here.house).rollout.is_terminal


@pytest.mark.clause("LI-380")
@pytest.mark.parametrize("act", [approve, promote])
@pytest.mark.parametrize("at_once", [200, 2])
def test_what_is_granted_is_signed_with_every_sealed_bucket(
    here: World, act: Callable[..., object], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict in the receipt is of all that is sealed, also where more is unread than is read at once."""
    monkeypatch.setattr(reading, "AT_ONCE", at_once)
    monkeypatch.setattr("lockgate.operations.line.current.AT_ONCE", at_once)
    rollout_id = unread(here, EQUAL)
    shown = explain(rollout_id, here.house)

    act(rollout_id, Seen(0, 1), ANN, here.house)

    said = predicate(receipts(here.house, rollout_id)[-1])
    assert said["evidence"]["buckets"]["count"] == 6
    assert said["verdict"]["findings"][0]["candidate"]["n"] == shown.verdict.findings[0].candidate.n > 0
    assert fsck(here.house).is_sound


@pytest.mark.clause("LI-380")
def test_a_pause_waits_for_no_bucket(here: World) -> None:
    """What stops a rollout reads nothing first."""
    rollout_id = unread(here, WORSE)

    pause(rollout_id, ANN, here.house)

    assert predicate(receipts(here.house, rollout_id)[-1])["evidence"]["buckets"]["count"] == 1
