# SPDX-License-Identifier: Apache-2.0
"""A breach that an operator lets pass comes in; how it is named, and when that ends, must be as docs/spec.md says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.decision.decision import Action
from lockgate.core.decision.intervention import Seen
from lockgate.core.finding import Evidence, Finding, Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout, Status, Waiver
from lockgate.operations.asking.queries import explain
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.resume import resume
from lockgate.operations.tick import tick
from lockgate.report.explained import explained
from lockgate.testing.world import Law, World
from tests.spec.line import APP, created, predicate, receipts, trial_of, world
from tests.spec.ramp import finding, gate, policy, rollout, turn, verdict
from tests.spec.ramp import tick as taken

EVE = Actor("person", "eve", "accepted for the launch")
PAUSING = policy(gate(breach=Breach.PAUSE))
WAIVER = Waiver(what="error_rate", harm=4.0, revision=3, reason="accepted for the launch")
NAMED = "the breach of error_rate was let pass at revision 3 (accepted for the launch): error_rate is regressed"


def breached(harm: float, peak: float = 0.0) -> Finding:
    """Return a breach that pauses, with so much evidence of harm where 3 shows it."""
    known: dict[str, Any] = {"clean": None, "proven": None, "promote_threshold": 3.0, "projected_runs": None}
    known |= {"judged_runs": 400, "judged_baseline_runs": 400}
    evidence = Evidence(harm=peak or harm, harm_level=harm, harm_threshold=3.0, **known)
    return finding(Outcome.REGRESSED, breach=Breach.PAUSE, evidence=evidence)


def paused(here: World) -> Rollout:
    """Return a rollout that a breach has paused at half of the traffic."""
    gates = [{"metric": "error_rate", "breach": "pause"}]
    steps = [{"weight": 50}, {"weight": 75}, {"weight": 100}]
    name = created(here, policy={"gates": gates, "steps": steps}).rollout.id
    serve(here, name, 0.15, minutes=20)
    found = trial_of(here, name).rollout
    assert found.status is Status.PAUSED
    return found


def serve(here: World, name: str, error_rate: float, *, minutes: int) -> None:
    """Serve and tick until something changed."""
    before = trial_of(here, name).rollout.revision
    for _ in range(minutes):
        here.serve_both(APP, {"v36": 200, "abc123": 200}, {"v36": Law(0.05), "abc123": Law(error_rate)}, minutes=1)
        tick(name, here.house)
        if trial_of(here, name).rollout.revision > before:
            break


@pytest.mark.clause("DE-222")
def test_a_decision_past_a_breach_names_it() -> None:
    """Nobody reads `regressed, advancing` without learning who let that pass, and why."""
    at = rollout(PAUSING, waived=(WAIVER,))

    promoted, held = (
        turn(at, PAUSING, verdict(breached(4.5), *more)) for more in ((), (finding(Outcome.INSUFFICIENT, "cost"),))
    )

    assert (promoted.action, held.action) == (Action.PROMOTE, Action.HOLD)
    assert promoted.reason == "the breach of error_rate let pass at 5 % with 400 fresh runs, advancing to 25 %"
    assert NAMED in promoted.also
    assert NAMED in held.also


@pytest.mark.clause("DE-223")
@pytest.mark.parametrize(("harm", "action"), [(6.99, Action.PROMOTE), (7.0, Action.PAUSE), (90.0, Action.PAUSE)])
def test_harm_that_outgrows_its_waiver_pauses_again(harm: float, action: Action) -> None:
    """As much evidence again as showed it is new harm, which nobody has seen yet."""
    at = rollout(PAUSING, waived=(WAIVER,))

    decision = turn(at, PAUSING, verdict(breached(harm)))

    assert decision.action is action
    assert ("again as when it was let pass at revision 3" in decision.reason) == (action is Action.PAUSE)


@pytest.mark.clause("VE-231")
@pytest.mark.parametrize(("harm", "action"), [(6.99, Action.PROMOTE), (7.0, Action.PAUSE)])
def test_what_was_let_pass_is_outgrown_from_where_it_stood(harm: float, action: Action) -> None:
    """Not from the peak of long ago, up to which harm that came back could pass unseen."""
    at = rollout(PAUSING, waived=(WAIVER,))

    assert turn(at, PAUSING, verdict(breached(harm, peak=60.0))).action is action


@pytest.mark.clause("VE-231")
def test_harm_that_comes_back_after_a_quiet_hour_pauses_again_soon() -> None:
    """An operator who resumes when all is well again has let pass what was, and nothing that comes."""
    here = world()
    name = paused(here).id
    serve(here, name, 0.5, minutes=5)
    serve(here, name, 0.05, minutes=60)
    freeze(APP, EVE, here.house)
    resume(name, EVE, here.house)
    (waiver,) = trial_of(here, name).rollout.waived
    quiet = trial_of(here, name).progress.state.gates[0]

    serve(here, name, 0.15, minutes=12)

    assert waiver.harm == pytest.approx(quiet.levels[0])
    assert quiet.levels[0] < quiet.peaks[0] - 10.0
    assert trial_of(here, name).rollout.status is Status.PAUSED
    assert fsck(here.house).is_sound


@pytest.mark.clause("DE-223")
def test_a_waiver_ends_with_its_step() -> None:
    """At the next step the breach stands again, and pauses until somebody lets it pass there."""
    at = rollout(PAUSING, waived=(WAIVER,))

    after = taken(at, PAUSING, verdict(breached(4.5))).after

    assert (after.step, after.waived) == (1, ())
    assert turn(after, PAUSING, verdict(breached(4.5))).action is Action.PAUSE


@pytest.mark.clause("DE-222")
def test_receipts_promise_no_promotion_after_a_breach_was_let_pass() -> None:
    """From the resume on, at every step; the records are still what the rules make of them."""
    here = world()
    name = paused(here).id
    before = predicate(receipts(here.house, name)[-1])["promise"]["falsePromotion"]

    resume(name, EVE, here.house)
    serve(here, name, 0.08, minutes=3)

    made = [predicate(each) for each in receipts(here.house, name)[-2:]]
    assert [each["decision"]["action"] for each in made] == ["resume", "promote"]
    assert (before, [each["promise"]["falsePromotion"] for each in made]) == (0.05, [None, None])
    assert any("accepted for the launch" in each for each in made[1]["decision"]["also"])
    assert fsck(here.house).is_sound


@pytest.mark.clause("DE-222")
def test_who_asks_is_told_of_a_waiver() -> None:
    """`show` and `explain` name it for as long as it stands."""
    here = world()
    name = paused(here).id
    resume(name, EVE, here.house)

    said = explain(name, here.house)

    sentences = [sentence for part in explained(said, here.clock.now()) for sentence in part.sentences]
    assert any("the breach of error_rate was let pass at revision" in each for each in sentences)


@pytest.mark.clause("DE-223")
def test_a_candidate_that_gets_worse_after_a_waiver_is_paused_before_it_moves() -> None:
    """Who let 15 % of errors pass has not let 90 % pass."""
    here = world()
    name = paused(here).id
    resume(name, EVE, here.house)

    serve(here, name, 0.9, minutes=1)

    after = trial_of(here, name).rollout
    assert (after.status, after.step) == (Status.PAUSED, 0)
    assert fsck(here.house).is_sound


@pytest.mark.clause("DE-224")
def test_a_promotion_past_what_holds_promises_nothing() -> None:
    """A person's word is no evidence, at this step or later."""
    here = world()
    name = created(here).rollout.id
    promised = [predicate(receipts(here.house, name)[-1])["promise"]["falsePromotion"]]

    promote(name, Seen(0, 1), EVE, here.house)

    promised += [predicate(receipts(here.house, name)[-1])["promise"]["falsePromotion"]]
    assert promised == [0.05, None]
    assert replace(trial_of(here, name).rollout, has_let_pass=False) != trial_of(here, name).rollout
