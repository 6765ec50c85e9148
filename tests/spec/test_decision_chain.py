# SPDX-License-Identifier: Apache-2.0
"""What a rollout does with a verdict: docs/spec.md, Decisions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Promote
from lockgate.core.policy.rule import Limits, Rules, Sustained
from lockgate.core.policy.step import Approval, OnDeadline
from lockgate.core.rollout import Status, Waiver
from lockgate.core.situation import Broken, Situation, Target, WayBack
from lockgate.core.transition import apply
from tests.spec.ramp import START, finding, gate, policy, rollout, situation, tick, turn, verdict, weights

BROKEN = (Broken("rule", "it is broken"),)


@pytest.mark.clause("DE-01")
@pytest.mark.parametrize("step", range(4))
def test_a_regressed_gate_rolls_back_at_any_weight(step: int) -> None:
    """A candidate that is worse goes, however little or much traffic it has, and does not come back."""
    of = policy(steps=weights(5, 25, 50, 100, soak_s=3600))

    decision = turn(rollout(of, step=step), of, Outcome.REGRESSED)

    assert (decision.action, decision.cause, decision.weight, decision.terminal) == (
        Action.ROLLBACK,
        Cause.REGRESSION,
        0.0,
        True,
    )


@pytest.mark.clause("DE-02")
@pytest.mark.parametrize("said", [Outcome.CLEAN, Outcome.PROVEN, Outcome.NOT_APPLICABLE])
def test_a_satisfied_step_moves_one_forward(said: Outcome) -> None:
    """Nothing against it, and fresh runs enough: the next step, never the one after."""
    of = policy()

    decision = turn(rollout(of), of, said)

    assert (decision.action, decision.step, decision.weight, decision.terminal) == (Action.PROMOTE, 1, 25.0, False)


@pytest.mark.clause("DE-02")
def test_promotion_reaches_the_last_weight_step_by_step() -> None:
    """The default ramp is walked in three promotions and ends promoted at 100 %."""
    of = policy()
    at = rollout(of)
    seen = []

    for minutes in (10, 20, 30):
        at = tick(at, of, Outcome.CLEAN, situation(minutes)).after
        seen.append((at.weight, at.status))

    assert seen == [(25.0, Status.ACTIVE), (50.0, Status.ACTIVE), (100.0, Status.PROMOTED)]


@pytest.mark.clause("DE-03")
@pytest.mark.parametrize("said", [Outcome.UNAVAILABLE, Outcome.INSUFFICIENT])
def test_missing_or_thin_data_holds(said: Outcome) -> None:
    """What is not known is never read as good."""
    of = policy()

    transition = tick(rollout(of), of, said)

    assert (transition.decision.action, transition.is_look) == (Action.HOLD, True)


@pytest.mark.clause("DE-04")
def test_proven_promotion_holds_a_gate_that_is_only_clean() -> None:
    """Where the owner asks for proof, absence of gross harm is not enough."""
    of = policy(promote=Promote.PROVEN)

    said = [turn(rollout(of), of, outcome).action for outcome in (Outcome.CLEAN, Outcome.PROVEN)]

    assert said == [Action.HOLD, Action.PROMOTE]


@pytest.mark.clause("DE-05")
@pytest.mark.parametrize(
    ("words", "step", "when", "cause"),
    [
        ("29 fresh runs of 30", {}, {"fresh_runs": 29}, Cause.MIN_RUNS),
        ("a hold of 2 h after 1 h", {"min_hold_s": 7200}, {}, Cause.MIN_HOLD),
        ("traffic still settles", {"settle_s": 7200}, {}, Cause.SETTLE),
        ("nobody approved", {"approval": Approval.MANUAL}, {}, Cause.APPROVAL),
        ("frozen by an incident", {}, {"freeze": "incident 7"}, Cause.FREEZE),
        ("a sample-ratio alarm", {}, {"alarms": ("the split is off",)}, Cause.ALARM),
    ],
)
def test_a_clean_step_still_holds(words: str, step: dict[str, Any], when: dict[str, Any], cause: Cause) -> None:
    """Each thing that keeps a clean rollout where it is keeps it there, and says so."""
    of = policy(steps=weights(5, 25, 50, 100, **step))

    decision = turn(rollout(of), of, Outcome.CLEAN, situation(**when))

    assert (decision.action, decision.cause) == (Action.HOLD, cause), words


@pytest.mark.clause("DE-05")
def test_an_approval_is_for_the_step_that_was_seen() -> None:
    """An approval of the first step does not let the second be left."""
    of = policy(steps=weights(5, 25, 50, approval=Approval.MANUAL))

    first = tick(rollout(of, approved_step=0), of, Outcome.CLEAN)
    second = turn(first.after, of, Outcome.CLEAN, situation(120))

    assert (first.decision.action, second.cause) == (Action.PROMOTE, Cause.APPROVAL)


@pytest.mark.clause("DE-05")
def test_a_weight_that_is_not_live_holds() -> None:
    """What an actuator reads back must be what was asked for before anything widens."""
    of = policy()

    held = turn(rollout(of, acknowledged=0.0), of, Outcome.CLEAN)
    moved = turn(rollout(of, acknowledged=5.0), of, Outcome.CLEAN)

    assert (held.cause, moved.action) == (Cause.ACKNOWLEDGEMENT, Action.PROMOTE)


@pytest.mark.clause("DE-05")
@pytest.mark.parametrize(
    ("said", "action"),
    [(None, Action.HOLD), (Outcome.UNAVAILABLE, Action.HOLD), (Outcome.CLEAN, Action.PROMOTE)],
)
def test_a_silent_pairwise_model_holds(said: Outcome | None, action: Action) -> None:
    """A comparison that is required and does not answer is not a good answer."""
    of = policy(require_pairwise=True)

    decision = turn(rollout(of), of, Outcome.CLEAN, situation(pairwise=said))

    assert decision.action is action


@pytest.mark.clause("DE-06")
def test_rules_win_in_the_order_of_the_chain() -> None:
    """Of any two rules that speak, the earlier one of the chain decides."""
    chain: list[tuple[Cause, dict[str, Any]]] = [
        (Cause.INVARIANT, {"invariants": BROKEN}),
        (Cause.FLOOR, {"critical": True}),
        (Cause.LIMIT, {"limits": BROKEN}),
        (Cause.REGRESSION, {"regressed": True}),
        (Cause.SUSTAINED, {"sustained": BROKEN}),
        (Cause.DISAGREEMENT, {"disagreement": BROKEN}),
        (Cause.UNAVAILABLE, {"unavailable": True}),
        (Cause.ALARM, {"alarms": ("the split is off",)}),
        (Cause.INSUFFICIENT, {"insufficient": True}),
        (Cause.FREEZE, {"freeze": "incident 7"}),
        (Cause.MIN_RUNS, {"fresh_runs": 0}),
    ]

    winners = {(a, b): _cause_of({**said_a, **said_b}) for (a, said_a), (b, said_b) in combinations(chain, 2)}

    assert winners == {(a, b): a for (a, _), (b, _) in combinations(chain, 2)}


def _cause_of(said: dict[str, Any]) -> Cause:
    of = policy()
    findings = [finding(Outcome.CLEAN)]
    if said.pop("critical", False):
        findings.append(finding(Outcome.REGRESSED, "scores.a", is_critical=True, is_objective=True))
    if said.pop("regressed", False):
        findings.append(finding(Outcome.REGRESSED, "latency_ms:p95"))
    if said.pop("unavailable", False):
        findings.append(finding(Outcome.UNAVAILABLE, "cost"))
    if said.pop("insufficient", False):
        findings.append(finding(Outcome.INSUFFICIENT, "ttft_ms"))
    return turn(rollout(of, step=1), of, verdict(*findings), situation(**said)).cause


@pytest.mark.clause("DE-06")
def test_the_rules_that_did_not_win_are_told_as_well() -> None:
    """A receipt shows every rule that spoke, not only the one that decided."""
    of = policy()

    decision = turn(rollout(of), of, Outcome.INSUFFICIENT, situation(freeze="incident 7", fresh_runs=3))

    assert decision.also == ("frozen: incident 7", "5 % has 3 of 30 fresh candidate runs")


@pytest.mark.clause("DE-07")
@pytest.mark.parametrize(
    ("breach", "action", "step"),
    [(Breach.ROLLBACK, Action.ROLLBACK, 2), (Breach.REDUCE, Action.REDUCE, 1), (Breach.PAUSE, Action.PAUSE, 2)],
)
def test_a_breach_does_what_the_gate_declares(breach: Breach, action: Action, step: int) -> None:
    """A gate may pause or reduce instead of rolling back."""
    of = policy(gate(breach=breach))

    decision = turn(rollout(of, step=2), of, verdict(finding(Outcome.REGRESSED, breach=breach)))

    assert (decision.action, decision.step) == (action, step)


@pytest.mark.clause("DE-07")
def test_the_gravest_breach_wins() -> None:
    """Of several regressed gates the one that asks for most decides."""
    of = policy()
    said = verdict(finding(Outcome.REGRESSED, "cost", breach=Breach.PAUSE), finding(Outcome.REGRESSED, "error_rate"))

    decision = turn(rollout(of, step=2), of, said)

    assert (decision.action, decision.reason) == (Action.ROLLBACK, "error_rate is regressed")


@pytest.mark.clause("DE-08")
def test_exposure_that_may_not_be_reduced_again_is_rolled_back() -> None:
    """Reducing has an end: at the first step, or after the declared number of times, it is a rollback."""
    of = policy(rules=Rules(sustained=(Sustained(id="p99", metric="p99", budget=1, window_s=60, need=3, of=3),)))
    when = situation(sustained=BROKEN)

    first = tick(rollout(of, step=2), of, Outcome.CLEAN, when)
    again = turn(first.after, of, Outcome.CLEAN, when)
    at_the_bottom = turn(rollout(of), of, Outcome.CLEAN, when)

    assert (first.decision.action, first.after.weight, first.after.reductions) == (Action.REDUCE, 25.0, 1)
    assert (again.action, again.cause) == (Action.ROLLBACK, Cause.SUSTAINED)
    assert at_the_bottom.action is Action.ROLLBACK


@pytest.mark.clause("DE-09")
@pytest.mark.parametrize("on_deadline", OnDeadline)
def test_a_deadline_takes_its_declared_action(on_deadline: OnDeadline) -> None:
    """A step that has held too long does what was declared for it."""
    of = policy(steps=weights(5, 25, 50, max_hold_s=3600, on_deadline=on_deadline))

    decision = turn(rollout(of, step=1), of, Outcome.INSUFFICIENT, situation(61))

    expected = (on_deadline.value, Cause.INSUFFICIENT if on_deadline is OnDeadline.HOLD else Cause.DEADLINE)
    assert (decision.action.value, decision.cause) == expected


@pytest.mark.clause("DE-09")
def test_a_deadline_does_not_stop_a_step_that_is_satisfied() -> None:
    """Being late is no reason not to promote what may be promoted at last."""
    of = policy(steps=weights(5, 25, 50, max_hold_s=3600, on_deadline=OnDeadline.ROLLBACK))

    decision = turn(rollout(of), of, Outcome.CLEAN, situation(600))

    assert decision.action is Action.PROMOTE


@pytest.mark.clause("DE-10")
def test_a_paused_rollout_is_never_promoted_and_still_rolls_back() -> None:
    """A pause stops promotion only."""
    of = policy()
    paused = rollout(of, status=Status.PAUSED, pause_reason="ann asked")

    clean, regressed = turn(paused, of, Outcome.CLEAN), turn(paused, of, Outcome.REGRESSED)

    assert (clean.cause, regressed.action) == (Cause.PAUSED, Action.ROLLBACK)


@pytest.mark.clause("DE-10")
def test_a_pause_that_was_seen_is_not_made_again() -> None:
    """Pausing a paused rollout changes nothing, and a breach that an operator let pass does not pause it again."""
    of = policy(gate(breach=Breach.PAUSE))
    said = verdict(finding(Outcome.REGRESSED, breach=Breach.PAUSE))

    first = tick(rollout(of), of, said)
    second = tick(first.after, of, said)
    waived = turn(rollout(of, waived=(Waiver(what="error_rate", harm=9.0),)), of, said)

    assert (first.after.status, second.is_look, waived.action) == (Status.PAUSED, True, Action.PROMOTE)


@pytest.mark.clause("DE-11")
@pytest.mark.parametrize("status", [Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED])
@pytest.mark.parametrize("said", Outcome)
def test_nothing_moves_after_the_end(status: Status, said: Outcome) -> None:
    """A rollout that has ended stays as it ended, whatever a tick sees."""
    of = policy()
    ended = rollout(of, status=status)

    transition = tick(ended, of, said, situation(invariants=BROKEN, limits=BROKEN))

    assert transition.after == ended


@pytest.mark.clause("DE-12")
def test_a_soak_delays_the_end_and_can_still_roll_back() -> None:
    """With a soak the last weight is watched before the rollout counts as promoted."""
    of = policy(steps=(*weights(5), *weights(100, soak_s=3600)))
    arrived = tick(rollout(of), of, Outcome.CLEAN, situation(0))

    soaking = turn(arrived.after, of, Outcome.NOT_APPLICABLE, situation(59))
    over = tick(arrived.after, of, Outcome.NOT_APPLICABLE, situation(60))
    broken = turn(arrived.after, of, Outcome.NOT_APPLICABLE, situation(59, invariants=BROKEN))

    assert (arrived.after.status, soaking.cause) == (Status.ACTIVE, Cause.SOAK)
    assert (over.after.status, over.after.weight) == (Status.PROMOTED, 100.0)
    assert broken.action is Action.ROLLBACK


@pytest.mark.clause("DE-13")
def test_a_rollback_takes_the_first_way_back_that_is_open() -> None:
    """A way back that is refused is passed over, and the decision says why."""
    of = policy()
    ways = (
        WayBack(Target.BASELINE, "v36", "its training data was revoked"),
        WayBack(Target.ANCESTOR, "v35"),
    )

    decision = turn(rollout(of), of, Outcome.REGRESSED, situation(ways_back=ways))

    assert decision.way_back == ways[1]
    assert decision.also == ("not back to v36: its training data was revoked",)


@pytest.mark.clause("DE-13")
def test_with_every_way_back_refused_exposure_still_ends() -> None:
    """Stopping the candidate does not depend on a place to go back to."""
    of = policy()
    ways = (WayBack(Target.BASELINE, "v36", "revoked"),)

    decision = turn(rollout(of), of, Outcome.REGRESSED, situation(ways_back=ways))

    assert (decision.action, decision.weight, decision.way_back) == (Action.ROLLBACK, 0.0, WayBack(Target.NONE, None))


@pytest.mark.clause("DE-14")
@pytest.mark.parametrize("on_limit", OnDeadline)
def test_a_limit_takes_its_declared_action(on_limit: OnDeadline) -> None:
    """Money, time and units that are spent do what the policy says, rollback unless it says otherwise."""
    of = policy(rules=Rules(limits=Limits(units=100, on_limit=on_limit)))

    decision = turn(rollout(of, step=1), of, Outcome.CLEAN, situation(limits=BROKEN))

    assert (decision.action.value, decision.cause) == (on_limit.value, Cause.LIMIT)
    assert Limits().on_limit is OnDeadline.ROLLBACK


@pytest.mark.clause("DE-15")
def test_every_change_raises_the_revision_by_one_and_a_look_does_not() -> None:
    """The revision counts what changed, so that whoever acts on an old view can be told."""
    of = policy()
    at = rollout(of)

    moved, looked = tick(at, of, Outcome.CLEAN), tick(at, of, Outcome.INSUFFICIENT)

    assert (moved.after.revision, looked.after.revision) == (1, 0)


@pytest.mark.clause("DE-15")
def test_entering_a_step_starts_its_clock_and_forgets_its_approval() -> None:
    """A step is judged by its own time, and its leaving needs its own approval."""
    of = policy()
    when = Situation(now=START + 5_000, fresh_runs=30)

    after = apply(rollout(of, approved_step=0), turn(rollout(of), of, Outcome.CLEAN, when), when.now).after

    assert (after.step, after.step_entered_at, after.approved_step) == (1, START + 5_000, None)
