# SPDX-License-Identifier: Apache-2.0
"""A router that is away comes in; what it was not told must be tried again, sooner where a candidate must go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lockgate.core.delivery import State
from lockgate.core.instant import SECOND
from lockgate.core.retry import PATIENCE
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.webhooks.deliver import hasten, retry_dead, untold
from tests.spec.line import created, world
from tests.spec.operators import ANN
from tests.spec.routing import delivered, kept_deliveries, routed, told

DOWN = "the router is down"


@pytest.mark.clause("LI-94")
def test_an_endpoint_that_stays_away_is_given_up_after_about_three_days() -> None:
    """The waits double up to half a day; then somebody must say that it should be tried again."""
    here = world()
    router = routed(here)
    created(here)
    router.faults = [DOWN] * 100
    began = here.clock.now()
    tries = []

    while kept_deliveries(here)[0].state is State.DUE:
        if delivered(here, router):
            tries.append(here.clock.now())
        here.clock.advance(max(1, (kept_deliveries(here)[0].due_at - here.clock.now()) / SECOND))

    waits = [(after - before) // SECOND for before, after in pairwise(tries)]
    assert waits[:4] == [5, 10, 20, 40]
    assert max(waits) <= 12 * 3_600
    assert 0.9 * PATIENCE <= tries[-1] - began <= 1.2 * PATIENCE
    dead = untold(here.house)
    assert [(each.delivery.state, each.delivery.error) for each in dead] == [(State.DEAD, DOWN)]
    assert delivered(here, router) == ()


@pytest.mark.clause("LI-94")
def test_what_was_given_up_is_tried_again_when_somebody_says_so() -> None:
    """From the beginning, with the same bytes."""
    here = world()
    router = routed(here)
    created(here)
    router.faults = [DOWN] * 19
    for _ in range(19):
        delivered(here, router)
        here.clock.advance(12 * 3_600)

    found = retry_dead(here.house)
    delivered(here, router)

    assert (found, told(router)) == (1, [("created", 5.0)])
    assert len({message.body for message in router.reached}) == 1


@pytest.mark.clause("LI-94")
def test_what_is_tried_again_begins_its_waits_again() -> None:
    """A second failure is not the end of another three days."""
    here = world()
    router = routed(here)
    created(here)
    router.faults = [DOWN] * 20
    for _ in range(19):
        delivered(here, router)
        here.clock.advance(12 * 3_600)

    retry_dead(here.house)
    delivered(here, router)

    again = kept_deliveries(here)[0]
    assert (again.state, again.attempts, again.due_at - here.clock.now()) == (State.DUE, 1, 5 * SECOND)


@pytest.mark.clause("LI-94")
def test_a_rollback_never_waits_longer_than_five_minutes() -> None:
    """However long the router is away, its candidate is served no longer than that after it is back."""
    here = world()
    router = routed(here)
    rollback(created(here).rollout.id, ANN, here.house)
    router.faults = [DOWN] * 40
    waits = []
    for _ in range(40):
        (tried,) = delivered(here, router)
        waits.append((tried.delivery.due_at - here.clock.now()) // SECOND)
        here.clock.advance(waits[-1])

    assert waits[:3] == [1, 2, 4]
    assert set(waits[9:]) == {300}


@pytest.mark.clause("LI-94")
def test_what_failed_ahead_of_the_clock_is_due_when_the_clock_was_set_back() -> None:
    """A week ahead for a moment costs no week of waiting."""
    here = world()
    router = routed(here)
    created(here)
    here.clock.advance(7 * 86_400)
    router.faults = [DOWN]
    delivered(here, router)

    here.clock.advance(-7 * 86_400)
    delivered(here, router)

    assert told(router) == [("created", 5.0)]


@pytest.mark.clause("LI-94")
def test_what_waits_is_tried_at_once_when_somebody_says_so() -> None:
    """Who has just mended the router need not wait for half a day."""
    here = world()
    router = routed(here)
    created(here)
    router.faults = [DOWN] * 3
    for _ in range(3):
        delivered(here, router)
        here.clock.advance(10)
    here.clock.advance(-9)

    before = delivered(here, router)
    hasten(here.house)
    delivered(here, router)

    assert (before, told(router)) == ((), [("created", 5.0)])


@pytest.mark.clause("LI-94")
def test_a_rollback_is_tried_sooner_and_a_new_message_at_once() -> None:
    """One second after it failed; and when something else must be told, what waits is tried once more."""
    here = world()
    router = routed(here)
    rollout = created(here).rollout
    rollback(rollout.id, ANN, here.house)
    router.faults = [DOWN] * 12
    for _ in range(12):
        delivered(here, router)
        here.clock.advance(3_600)
    here.clock.advance(-3_590)
    assert delivered(here, router) == ()
    created(here, candidate="def456")

    delivered(here, router)

    assert told(router) == [("rollback", 0.0), ("created", 5.0)]
