# SPDX-License-Identifier: Apache-2.0
"""A gate that reduces comes in; what is known of harm after the way back must be as docs/spec.md says, Verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from lockgate.core.decision.decision import Action
from lockgate.core.evidence.fold import fold
from lockgate.core.evidence.plan import Role, plan
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.evidence.state import EvidenceState, open_state
from lockgate.core.evidence.totals import Totals, add
from lockgate.core.finding import Finding, Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Status
from lockgate.core.verdict.judge import judge
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick import Turn, tick
from lockgate.testing.world import Law, World
from tests.spec.line import APP, created, trial_of, world
from tests.spec.ramp import arm, gate, policy, sealed

REDUCING = policy(gate(breach=Breach.REDUCE))
GOOD = [sealed(number, arm(380, 19), arm(20, 1)) for number in range(30)]
BAD = [sealed(40 + number, arm(200, 10), arm(200, 80), step=2) for number in range(4)]
LATER = [sealed(60 + number, arm(300, 15), arm(100, 11), step=1) for number in range(8)]


def known(of: Policy, buckets: Iterable[SealedBucket]) -> tuple[EvidenceState, Totals]:
    """Return what is known after some buckets."""
    planned, totals = plan(of), Totals()
    state = open_state(planned)
    for bucket in buckets:
        state, totals = fold(state, bucket, planned), add(totals, bucket, of)
    return state, totals


def only(of: Policy, buckets: Iterable[SealedBucket], step: int) -> Finding:
    """Return the first gate's finding."""
    return judge(*known(of, buckets), plan(of), step).findings[0]


@pytest.mark.clause("VE-204")
def test_after_a_reduction_harm_is_shown_by_new_runs_alone() -> None:
    """At the step before, nothing is regressed until what runs there shows it."""
    said = [only(REDUCING, [*GOOD, *BAD], 2), only(REDUCING, [*GOOD, *BAD], 1)]
    later = [only(REDUCING, [*GOOD, *BAD, *LATER[:end]], 1).outcome for end in (1, 8)]

    assert [found.outcome for found in said] == [Outcome.REGRESSED, Outcome.INSUFFICIENT]
    assert later == [Outcome.INSUFFICIENT, Outcome.REGRESSED]


@pytest.mark.clause("VE-204")
def test_what_is_counted_anew_grows_as_a_first_process_does() -> None:
    """All its parts begin at nothing, so that its level is that of a rollout which began with these buckets."""
    index = plan(REDUCING).gates[0].index(Role.HARM)
    assert index is not None

    begun = known(REDUCING, [*GOOD, *BAD, *LATER[:1]])[0].gates[0]
    taught = replace(open_state(plan(REDUCING)), furthest_step=2, step=1)
    taught = replace(
        taught, gates=(replace(taught.gates[0], nuisance=known(REDUCING, [*GOOD, *BAD])[0].gates[0].nuisance),)
    )

    assert begun.levels[index] == fold(taught, LATER[0], plan(REDUCING)).gates[0].levels[index] > 0


@pytest.mark.clause("VE-204")
@pytest.mark.parametrize("breach", [Breach.ROLLBACK, Breach.PAUSE])
def test_no_other_breach_is_forgotten_by_going_back(breach: Breach) -> None:
    """Nor is what a gate had gathered without showing it: only harm that was answered begins again."""
    of = policy(gate(breach=breach))

    assert only(of, [*GOOD, *BAD], 1).outcome is Outcome.REGRESSED


@pytest.mark.clause("VE-204")
def test_harm_that_was_not_shown_is_kept() -> None:
    """Going back for another reason, such as a deadline, lets no gate start anew."""
    index = plan(REDUCING).gates[0].index(Role.HARM)
    assert index is not None
    few = [*GOOD, replace(BAD[0], arms=sealed(0, arm(200, 10), arm(200, 20)).arms)]
    bucket = sealed(60, arm(300, 15), arm(100, 5), step=1)

    levels = [known(REDUCING, each)[0].gates[0].levels[index] for each in (few, [*few, bucket], [*GOOD, bucket])]

    assert levels[1] == pytest.approx(levels[0], abs=1.5)
    assert levels[1] > levels[2] + 0.5


@pytest.mark.clause("VE-204")
def test_what_was_excluded_before_the_harm_must_be_excluded_still() -> None:
    """A candidate that was clean before it went wrong is not clean again for that."""
    found = only(REDUCING, [*GOOD, *BAD, sealed(60, arm(300, 15), arm(100, 5), step=1)], 1)

    assert found.outcome is Outcome.INSUFFICIENT
    assert found.evidence is not None
    assert found.evidence.clean is not None
    assert found.evidence.clean < found.evidence.promote_threshold


def walked(here: World, rollout_id: str, *, minutes: int, is_well: bool = False) -> list[Turn]:
    """Walk a candidate that fails from half of the traffic on, unless it is well by now; the turns that changed it."""
    turns = []
    for _ in range(minutes):
        rollout = trial_of(here, rollout_id).rollout
        if rollout.is_terminal:
            break
        bad = rollout.weight >= 50 and not is_well
        here.serve(APP, 400, {"v36": Law(0.05), "abc123": Law(0.4 if bad else 0.05)}, "v36")
        here.clock.advance(60)
        turns += [tick(rollout_id, here.house), tick(rollout_id, here.house)]
    return [turn for turn in turns if not turn.transition.is_look]


@pytest.mark.clause("DE-220")
def test_a_reduction_is_not_a_rollback_one_tick_later() -> None:
    """The step before is lived at, and only harm that shows again ends the rollout, with the numbers that show it."""
    here = world()
    rollout = created(here, policy={"gates": [{"metric": "error_rate", "breach": "reduce"}]}).rollout

    turns = walked(here, rollout.id, minutes=200)

    actions = [turn.transition.decision.action for turn in turns]
    assert actions[-3:] == [Action.REDUCE, Action.PROMOTE, Action.ROLLBACK]
    assert turns[-2].transition.at - turns[-3].transition.at > 60_000
    assert "–" not in "".join(turn.transition.decision.reason for turn in turns)
    assert trial_of(here, rollout.id).rollout.status is Status.ROLLED_BACK
    assert fsck(here.house).is_sound


@pytest.mark.clause("DE-220")
def test_a_candidate_that_is_well_again_goes_on() -> None:
    """A reduction is not the end of one whose harm passed."""
    here = world()
    rollout = created(here, policy={"gates": [{"metric": "error_rate", "breach": "reduce"}]}).rollout
    while not trial_of(here, rollout.id).rollout.reductions:
        walked(here, rollout.id, minutes=1)

    turns = walked(here, rollout.id, minutes=300, is_well=True)

    assert turns[-1].rollout.status is Status.PROMOTED
    assert fsck(here.house).is_sound


@pytest.mark.clause("DE-221")
def test_the_reason_of_harm_from_before_names_the_numbers_of_all_steps() -> None:
    """A step without runs has no numbers, and a dash would say nothing."""
    found = only(policy(), [*GOOD, *BAD], 3)

    assert found.outcome is Outcome.REGRESSED
    assert found.reason == (
        "over all steps error_rate rose from 5.0 % to 25.0 %; harm beyond the tolerance of 0 is shown"
    )
