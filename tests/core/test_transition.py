# SPDX-License-Identifier: Apache-2.0
"""Rollouts and decisions of any kind come in; each decision must change what it is about, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import TERMINAL, Notice, Rollout, Status, Waiver
from lockgate.core.transition import Event, Transition, apply, begun
from tests.spec.ramp import START, policy, rollout

NOW = START + 90_000
OF = policy()
STEPS = st.integers(0, len(OF.steps) - 1)
GATES = st.sampled_from(["error_rate", "cost", "rule:tests", "deadline:1"])
WAIVERS = st.lists(
    st.builds(
        Waiver,
        what=GATES,
        harm=st.none() | st.floats(0, 9),
        revision=st.integers(0, 3),
        reason=st.sampled_from(["known", ""]),
    ),
    max_size=3,
    unique_by=lambda each: each.what,
).map(tuple)
NOTICES = st.lists(st.sampled_from(Notice), unique=True).map(tuple)
UNDER_WAY = st.builds(
    rollout,
    st.just(OF),
    step=STEPS,
    status=st.sampled_from([Status.ACTIVE, Status.PAUSED]),
    pause_reason=st.sampled_from(["", "ann asked"]),
    revision=st.integers(1, 9),
    reductions=st.integers(0, 3),
    approved_step=st.none() | STEPS,
    acknowledged=st.none() | st.floats(0, 100),
    waived=WAIVERS,
    notices=NOTICES,
    has_let_pass=st.booleans(),
)
OF_ROLLOUTS = (
    Action.PROMOTE,
    Action.HOLD,
    Action.PAUSE,
    Action.REDUCE,
    Action.ROLLBACK,
    Action.RESUME,
    Action.APPROVE,
    Action.CANCEL,
    Action.CLEAR,
)
ENDS = {Action.PROMOTE: Status.PROMOTED, Action.ROLLBACK: Status.ROLLED_BACK, Action.CANCEL: Status.CANCELLED}
TOLD = {
    Action.PROMOTE: Event.PROMOTE,
    Action.ROLLBACK: Event.ROLLBACK,
    Action.REDUCE: Event.REDUCE,
    Action.PAUSE: Event.PAUSE,
    Action.RESUME: Event.RESUME,
}


def decided(action: Action, **fields: Any) -> Decision:
    """Return a decision that says why, and leads to half of the traffic."""
    declared = {"cause": Cause.SATISFIED, "reason": "because", "step": 2, "weight": 50.0}
    return Decision(action=action, **{**declared, **fields})


def changes(before: Rollout, decision: Decision) -> dict[str, Any]:
    """Return every field that a decision changes but the count of changes, written as a table."""
    action, here = decision.action, {"step": decision.step, "weight": decision.weight}
    if action is Action.PAUSE:
        return {"status": Status.PAUSED, "pause_reason": decision.reason}
    if action is Action.APPROVE:
        return {"approved_step": before.step}
    if action is Action.RESUME:
        new = {each.what: replace(each, revision=before.revision + 1, reason="because") for each in decision.waived}
        kept = tuple(each for each in before.waived if each.what not in new)
        return {"status": Status.ACTIVE, "pause_reason": "", "waived": (*kept, *new.values())}
    if action is Action.CLEAR:
        return {}
    if decision.terminal:
        entered = before.step_entered_at if decision.step == before.step else NOW
        over = {"status": ENDS[action], "approved_step": None, "pause_reason": "", "step_entered_at": entered}
        return {**here, **over}
    fresh = {"step_entered_at": NOW, "approved_step": None, "waived": (), "notices": ()}
    return {**here, **fresh, "reductions": before.reductions + (action is Action.REDUCE)}


@pytest.mark.clause("DE-15")
@given(before=UNDER_WAY, action=st.sampled_from(OF_ROLLOUTS), step=STEPS, waived=WAIVERS, ends=st.booleans())
def test_a_decision_changes_what_it_is_about_and_nothing_else(
    before: Rollout, action: Action, step: int, waived: tuple[Waiver, ...], ends: bool
) -> None:
    """Each change is counted once; a hold is none."""
    terminal = action in {Action.ROLLBACK, Action.CANCEL} or (action is Action.PROMOTE and ends)
    let_pass = waived if action is Action.RESUME else ()
    decision = decided(action, step=step, weight=OF.steps[step].weight, terminal=terminal, waived=let_pass)

    made = apply(before, decision, NOW)

    has_let_pass = before.has_let_pass or any(each.harm is not None for each in let_pass)
    counted: dict[str, Any] = {"revision": before.revision + 1, "has_let_pass": has_let_pass}
    after = before if action is Action.HOLD else replace(before, **counted, **changes(before, decision))
    assert made == Transition(before, after, decision, NOW)
    assert made.is_look is (action is Action.HOLD)


@pytest.mark.clause("DE-21")
@given(before=UNDER_WAY, action=st.sampled_from(OF_ROLLOUTS), seen=NOTICES, mode=st.sampled_from(Mode))
def test_each_change_is_told_by_its_name_with_the_end_and_with_what_is_new_to_notice(
    before: Rollout, action: Action, seen: tuple[Notice, ...], mode: Mode
) -> None:
    """What was noticed before is not told again, what nothing hears of is not told, and a shadow tells nothing."""
    terminal = action in ENDS
    made = apply(replace(before, mode=mode), decided(action, terminal=terminal), NOW)
    noticing = replace(made, after=replace(made.after, notices=seen))

    told = [TOLD[action]] if action in TOLD else []
    ended = [Event.COMPLETED] if terminal else []
    new = {Notice.APPROVAL: Event.APPROVAL_NEEDED, Notice.OVERDUE: Event.OVERDUE, Notice.UNTOLD: Event.UNTOLD}
    noticed = [new[each] for each in seen if each not in before.notices]
    assert noticing.events == (() if mode is Mode.SHADOW else (*told, *ended, *noticed))
    moved = mode is not Mode.SHADOW and made.after.weight != before.weight
    assert noticing.moves is moved


@pytest.mark.clause("WH-313")
@given(before=st.sampled_from(sorted(TERMINAL)), after=st.sampled_from(sorted(TERMINAL)))
def test_an_end_is_told_once_and_another_end_anew(before: Status, after: Status) -> None:
    """So that who hears of ends alone learns that what was promoted was taken back."""
    at = rollout(OF, step=3, status=before)

    made = Transition(at, replace(at, status=after, revision=at.revision + 1), decided(Action.CLEAR), NOW)

    assert made.events == (() if before is after else (Event.COMPLETED,))


@pytest.mark.clause("DE-224")
@pytest.mark.parametrize("action", OF_ROLLOUTS)
@pytest.mark.parametrize("cause", [Cause.OPERATOR, Cause.SATISFIED])
@pytest.mark.parametrize("also", [(), ("leaving 25 % waits for an approval",)])
def test_only_a_promotion_by_a_person_goes_past_what_held(action: Action, cause: Cause, also: tuple[str, ...]) -> None:
    """A promotion of the line, another action, or one that nothing held, leaves the promise as it is."""
    terminal = action in {Action.ROLLBACK, Action.CANCEL}
    made = apply(rollout(OF, step=1), decided(action, cause=cause, also=also, terminal=terminal), NOW)

    goes_past = action is Action.PROMOTE and cause is Cause.OPERATOR and also != ()
    assert made.after.has_let_pass is goes_past


@pytest.mark.clause("DE-15")
def test_a_rollout_begins_by_a_promotion_to_its_first_step() -> None:
    """It is its first change, at the instant at which the rollout was made."""
    new = replace(rollout(OF), weight=0.0)

    made = begun(new, OF)

    assert (made.after, made.at) == (replace(new, weight=5.0, revision=1), new.created_at)
    said = made.decision
    assert (said.action, said.cause, said.step, said.weight, said.terminal) == (
        Action.PROMOTE,
        Cause.OPERATOR,
        0,
        5.0,
        False,
    )
    assert said.reason == "abc123 goes on trial against v36 at 5 %"
