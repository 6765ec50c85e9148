# SPDX-License-Identifier: Apache-2.0
"""A clock is set back while a router is down; what it was told is judged by the log: docs/spec.md, Soundness."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockgate.core.delivery import State
from lockgate.core.soundness.flaw import Rule
from lockgate.core.transition import Event
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.actuator import set_actuator
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import created, trial_of, world
from tests.spec.operators import ANN
from tests.spec.routing import PROGRAM, delivered, kept_deliveries, routed, states
from tests.spec.test_delivery import promoted_step

AHEAD = 5_000


def set_back(here: World) -> None:
    """Leave a router that was declared ahead of the clock with what came before and after the clock went back."""
    here.clock.advance(AHEAD)
    routed(here)
    rollout = created(here).rollout
    here.clock.advance(-AHEAD)
    rollback(rollout.id, ANN, here.house)


@pytest.mark.clause("LI-571")
def test_what_a_router_was_told_is_sound_though_the_clock_went_back() -> None:
    """Before it was told and after: a rollback overtakes what is older by the log, whatever the clock said."""
    here = world()
    here.clock.advance(AHEAD)
    router = routed(here)
    rollout_id = created(here).rollout.id
    while not trial_of(here, rollout_id).rollout.is_terminal:
        promoted_step(here, rollout_id)
    here.clock.advance(-AHEAD - 3_600)
    rollback(rollout_id, ANN, here.house)

    before = fsck(here.house)
    delivered(here, router)
    after = fsck(here.house)

    assert (before.flaws, after.flaws) == ((), ())
    assert states(kept_deliveries(here))[-1] == ("rollback", "delivered")
    assert ("promote", "superseded") in states(kept_deliveries(here))


@pytest.mark.clause("LI-571")
def test_a_delivery_that_is_lost_is_missed_though_the_clock_went_back() -> None:
    """Its router was there by the log, and declared later only by the clock."""
    here = world()
    set_back(here)
    with here.house.store.writing() as work:
        endpoint = work.endpoints()[0]
        for each in work.deliveries():
            work.put_delivery(replace(each, state=State.DELIVERED, attempts=1))
        work.drop_deliveries(here.clock.now() + 2 * AHEAD * 1_000, 9)

    missed = [flaw.seq for flaw in fsck(here.house).flaws if flaw.rule is Rule.OUTBOX]

    assert endpoint.since > here.clock.now()
    assert missed == [1, 2]


@pytest.mark.clause("LI-571")
def test_a_router_that_is_declared_anew_is_not_asked_for_what_was_told_before() -> None:
    """In the same instant, and by the same program, which changes nothing."""
    here = world()
    rollout = created(here).rollout
    routed(here)

    again = set_actuator(rollout.app, PROGRAM, ANN, here.house).endpoint
    pause(rollout.id, ANN, here.house)

    with here.house.store.reading() as seen:
        assert seen.endpoints() == (again,)
        assert seen.messages()[0].event is Event.CREATED
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-571")
def test_a_state_that_no_attempt_comes_to_is_named_of_older_messages_too() -> None:
    """A router that is declared anew is told what the one before it was not, and by no other rule."""
    here = world()
    routed(here)
    created(here)
    routed(here, program=replace(PROGRAM, timeout_s=9.0))
    with here.house.store.writing() as work:
        for each in work.deliveries():
            work.put_delivery(replace(each, state=State.DELIVERED))

    assert ["was never tried" in flaw.what for flaw in fsck(here.house).flaws] == [True]
