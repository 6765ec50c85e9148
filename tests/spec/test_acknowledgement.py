# SPDX-License-Identifier: Apache-2.0
"""Weights that a router read back come in; comparisons must wait for them, and decisions must bind them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.decision.decision import Cause
from lockgate.core.delivery import State
from lockgate.core.evidence.sealed import Phase
from lockgate.core.evidence.window import span_at
from lockgate.core.receipt import Actor
from lockgate.core.rollout import is_met
from lockgate.errors import DataError, UsageError
from lockgate.operations.asking.queries import explain
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.acknowledge import Observation, acknowledge
from lockgate.operations.steering.actuator import remove_actuator, set_actuator, tell_again
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.operations.webhooks.deliver import untold
from lockgate.report.explained import explained
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, created, predicate, receipts, trial_of, verified, world
from tests.spec.operators import ANN
from tests.spec.routing import PROGRAM, READS_BACK, delivered, routed

ROUTER = Actor("actuator", "shift.sh", "5 % was read back")


def serve(here: World, minutes: int, runs: int = 400) -> None:
    """Let traffic of both releases flow."""
    here.serve_both(APP, {"v36": runs * minutes, "abc123": runs * minutes}, EQUAL, minutes=minutes)


def phases(here: World, rollout_id: str) -> list[str]:
    """Return the phase of each bucket of the app as the rollout sees it."""
    spans = trial_of(here, rollout_id).spans
    with here.house.store.reading() as seen:
        slots = seen.slots(APP)
    found = [(slot, span_at(spans, slot.number)) for slot in slots]
    return [span.phase(slot).value for slot, span in found if span is not None]


def seen_weight(here: World, rollout_id: str, weight: float, revision: int = 1) -> None:
    """Let somebody read a weight back."""
    acknowledge(Observation(rollout_id=rollout_id, revision=revision, weight=weight), ROUTER, here.house)


@pytest.mark.clause("LI-98")
def test_comparisons_wait_until_the_weight_was_read_back() -> None:
    """Buckets between a decision and its acknowledgement are of a transition, however many; later ones are steady."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    serve(here, 3)
    waiting = tick(rollout.id, here.house)
    delivered(here, router)
    serve(here, 2)
    after = tick(rollout.id, here.house)

    assert phases(here, rollout.id) == [Phase.TRANSITION] * 3 + [Phase.STEADY] * 2
    assert waiting.rollout.acknowledged == 0.0
    assert "5 % was asked for, none of it was read back" in " ".join(
        (waiting.transition.decision.reason, *waiting.transition.decision.also)
    )
    assert "not acknowledged" not in " ".join((after.transition.decision.reason, *after.transition.decision.also))


@pytest.mark.clause("LI-98")
def test_a_rollout_is_promoted_when_each_weight_is_read_back() -> None:
    """All the way, as fast as its evidence allows; every receipt verifies and says what was live."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    for _ in range(40):
        delivered(here, router)
        here.walk(rollout.id, EQUAL, runs=4_000, minutes=1)

    told = receipts(here.house, rollout.id)
    assert trial_of(here, rollout.id).rollout.status.value == "promoted"
    assert [predicate(each)["evidence"].get("acknowledgedWeight") for each in told] == [0.0, 5.0, 25.0, 50.0]
    assert all(verified(here.house, each) for each in told)
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("LI-98")
def test_without_an_acknowledging_actuator_only_the_first_bucket_is_unknown() -> None:
    """Nobody waits for what nobody will say."""
    here = world()
    router = routed(here, program=PROGRAM)
    rollout = created(here).rollout
    serve(here, 3)
    delivered(here, router)
    said = tick(rollout.id, here.house)

    assert phases(here, rollout.id) == [Phase.TRANSITION, Phase.STEADY, Phase.STEADY]
    assert said.rollout.acknowledged is None
    assert "acknowledgedWeight" not in predicate(receipts(here.house, rollout.id)[0])["evidence"]


@pytest.mark.clause("LI-98")
def test_the_first_weight_that_is_read_back_makes_an_actuator_acknowledging() -> None:
    """Also where it was not declared; the next change is waited for."""
    here = world()
    router = routed(here)
    router.is_reading_back = True
    rollout = created(here).rollout
    delivered(here, router)

    here.walk(rollout.id, EQUAL, runs=4_000, minutes=30)

    trial = trial_of(here, rollout.id)
    assert (trial.rollout.acknowledged, trial.rollout.weight, trial.spans[-1].is_awaited) == (5.0, 25.0, True)
    assert explain(rollout.id, here.house).decision.cause in (Cause.ACKNOWLEDGEMENT, Cause.INSUFFICIENT)


@pytest.mark.clause("LI-99")
def test_another_weight_than_was_asked_for_holds_and_is_asked_for_again() -> None:
    """Until the router has it; buckets in between are of a transition."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    router.stuck = 2.0
    (first,) = delivered(here, router)
    serve(here, 1)
    held = tick(rollout.id, here.house)
    router.stuck = None
    delivered(here, router)

    assert first.delivery.error == "2 % was read back, 5 % was asked for"
    assert "the weight is not acknowledged: 5 % was asked for, 2 % was read back" in (
        held.transition.decision.reason,
        *held.transition.decision.also,
    )
    assert trial_of(here, rollout.id).rollout.acknowledged == 5.0
    assert phases(here, rollout.id) == [Phase.TRANSITION]
    assert untold(here.house) == ()


@pytest.mark.clause("LI-334")
@pytest.mark.parametrize(
    ("asked", "observed", "counts"),
    [
        (5.0, 5, True),
        (5.0, 4.99, True),
        (5.0, 4.95, True),
        (5.0, 5.05, True),
        (5.0, 4.94, False),
        (10.0, 10.05, True),
        (33.3, 33.333333333333336, True),
        (100.0, 99.95, True),
        (100.0, 99.9, False),
        (0.5, 0.45, True),
        (0.1, 0.11, True),
        (0.1, 0.12, False),
        (0.1, 0.0, False),
        (0.0, 0.0, True),
        (0.0, 0.01, False),
    ],
)
def test_a_router_may_round(asked: float, observed: float, counts: bool) -> None:
    """By 0.05 points and a tenth of the weight at most, and nothing rounds to no traffic."""
    assert is_met(asked, observed) is counts


@pytest.mark.clause("LI-334")
@given(st.floats(0, 100), st.floats(0, 100))
def test_no_weight_counts_for_one_far_from_it(asked: float, observed: float) -> None:
    """And each counts for itself."""
    assert is_met(asked, asked)
    if is_met(asked, observed):
        assert abs(asked - observed) <= min(0.05, asked / 10) + 2e-6


@pytest.mark.clause("LI-334")
def test_a_router_that_rounds_is_waited_for_once() -> None:
    """Comparisons go on after the first reading, and another one that differs by rounding begins nothing anew."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    router.stuck = 4.99
    (sent,) = delivered(here, router)
    before = trial_of(here, rollout.id)
    router.stuck = 5.01
    tell_again(APP, here.house)
    delivered(here, router)
    serve(here, 1)

    assert sent.delivery.state is State.DELIVERED
    assert (before.rollout.acknowledged, before.rollout.is_acknowledged) == (4.99, True)
    assert trial_of(here, rollout.id) == before
    assert phases(here, rollout.id) == [Phase.STEADY]


@pytest.mark.clause("LI-99")
def test_a_weight_that_slipped_away_is_noticed_when_it_is_read_again() -> None:
    """Somebody else moved it: from then on nothing is compared."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    delivered(here, router)
    serve(here, 1)
    router.stuck = 0.0
    tell_again(APP, here.house)
    delivered(here, router)
    serve(here, 1)

    assert phases(here, rollout.id) == [Phase.STEADY, Phase.TRANSITION]
    (change,) = (
        part for part in explained(explain(rollout.id, here.house), 0) if part.heading == "What would change it"
    )
    assert change.sentences[0].startswith("An actuator that reads 5 % back, because until then nothing is compared")


@pytest.mark.clause("LI-99")
def test_an_acknowledgement_is_a_look_that_the_next_receipt_binds() -> None:
    """Who read which weight back, and when, cannot be changed afterwards."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    delivered(here, router)

    with here.house.store.reading() as seen:
        (look,) = seen.looks(rollout.id)
    rollback(rollout.id, ANN, here.house)
    bound = predicate(receipts(here.house, rollout.id)[-1])["evidence"]["looks"]

    assert look.reason == "5 % was read back, 5 % was asked for, says /srv/shift.sh"
    assert bound == {"count": 1, "sha256": _digest([None, look.document()])}


def _digest(value: Json) -> str:
    return hashlib.sha256(canonicalize(value)).hexdigest()


@pytest.mark.clause("LI-99")
def test_the_same_acknowledgement_again_changes_nothing() -> None:
    """Neither does one of a weight that was asked for before the present one."""
    here = world()
    rollout = created(here).rollout
    seen_weight(here, rollout.id, 5.0)
    before = trial_of(here, rollout.id)
    seen_weight(here, rollout.id, 5.0)
    same = trial_of(here, rollout.id)
    rollback(rollout.id, ANN, here.house)
    ended = trial_of(here, rollout.id)
    seen_weight(here, rollout.id, 3.0, revision=1)

    assert (same, trial_of(here, rollout.id)) == (before, ended)


@pytest.mark.clause("LI-99")
def test_an_acknowledgement_that_cannot_be_meant_is_refused() -> None:
    """A weight that is none, a revision that is not there yet, a rollout that moves nothing, nobody who says it."""
    here = world()
    rollout = created(here).rollout
    shadow = created(here, candidate="def456", policy={"mode": "shadow"}).rollout
    fine = Observation(rollout_id=rollout.id, revision=1, weight=5.0)
    before = trial_of(here, rollout.id)

    for wrong, actor, kind in (
        (replace(fine, weight=100.5), ROUTER, DataError),
        (replace(fine, weight=float("nan")), ROUTER, DataError),
        (replace(fine, revision=2), ROUTER, DataError),
        (replace(fine, rollout_id=shadow.id), ROUTER, UsageError),
        (replace(fine, rollout_id="rol_none"), ROUTER, UsageError),
        (fine, Actor("actuator", "", "why"), UsageError),
    ):
        with pytest.raises(kind):
            acknowledge(wrong, actor, here.house)

    assert trial_of(here, rollout.id) == before


@pytest.mark.clause("LI-98")
@pytest.mark.parametrize("way", ["remove", "replace"])
def test_when_nobody_reads_back_any_more_nobody_waits(way: str) -> None:
    """The next bucket is unknown still, as after any change, and those after it are compared."""
    here = world()
    routed(here, program=READS_BACK)
    rollout = created(here).rollout
    serve(here, 2)
    if way == "remove":
        remove_actuator(APP, ANN, here.house)
    else:
        set_actuator(APP, PROGRAM, ANN, here.house)
    serve(here, 2)

    assert phases(here, rollout.id) == [*[Phase.TRANSITION] * 3, Phase.STEADY]
    assert trial_of(here, rollout.id).rollout.acknowledged is None


@pytest.mark.clause("LI-98")
def test_after_a_rollback_the_acknowledged_weight_is_known() -> None:
    """The rollout has ended, and whether the router has let go of the candidate can still be read."""
    here = world()
    router = routed(here, program=READS_BACK)
    rollout = created(here).rollout
    delivered(here, router)
    rollback(rollout.id, ANN, here.house)
    delivered(here, router)

    assert trial_of(here, rollout.id).rollout.acknowledged == 0.0
