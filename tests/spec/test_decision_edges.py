# SPDX-License-Identifier: Apache-2.0
"""Where one decision ends and the next begins, and in which words: docs/spec.md, Decisions."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.decision.intervention import Outlook, Request, Seen, intervene
from lockgate.core.finding import Evidence, Finding, Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.rule import Limits, Rules
from lockgate.core.policy.step import Approval, OnDeadline, Step, StepKind
from lockgate.core.rollout import Status, Waiver
from lockgate.core.situation import Broken, Target, WayBack
from lockgate.errors import NotPermittedError
from tests.spec.ramp import finding, policy, rollout, situation, turn, verdict, weights

BROKEN = (Broken("rule", "it is broken"),)
BREACHES = (Breach.ROLLBACK, Breach.REDUCE, Breach.PAUSE)


@pytest.mark.clause("DE-06")
@pytest.mark.parametrize(("said", "is_objective", "is_critical"), list(product(Outcome, (True, False), (True, False))))
def test_only_a_floor_of_a_critical_slice_comes_before_a_limit(
    said: Outcome, is_objective: bool, is_critical: bool
) -> None:
    """A gate that is not regressed rolls nothing back, whatever it is about."""
    of = policy()
    gates = verdict(finding(said, is_objective=is_objective, is_critical=is_critical))

    spent = turn(rollout(of, step=1), of, gates, situation(limits=BROKEN))
    alone = turn(rollout(of, step=1), of, gates)

    is_regressed = said is Outcome.REGRESSED
    assert spent.cause is (Cause.FLOOR if is_regressed and is_objective and is_critical else Cause.LIMIT)
    assert (alone.action is Action.ROLLBACK) is is_regressed
    assert alone.cause is (Cause.FLOOR if is_objective else Cause.REGRESSION) or not is_regressed


@pytest.mark.clause("DE-07")
@pytest.mark.parametrize("order", list(permutations(BREACHES)))
def test_whatever_the_order_of_gates_the_gravest_breach_wins_and_the_others_are_told(order: tuple[Breach, ...]) -> None:
    """Rolling back is graver than reducing, and that than pausing."""
    of = policy()
    regressed = [finding(Outcome.REGRESSED, f"scores.{each.value}", breach=each) for each in order]

    decision = turn(rollout(of, step=2), of, verdict(*regressed))
    without = turn(rollout(of, step=2), of, verdict(*(each for each in regressed if each.breach != Breach.ROLLBACK)))

    assert (decision.action, without.action) == (Action.ROLLBACK, Action.REDUCE)
    assert decision.also == ("scores.reduce is regressed", "scores.pause is regressed")
    assert without.also == ("scores.pause is regressed",)


@pytest.mark.clause("DE-09")
@pytest.mark.parametrize("status", [Status.ACTIVE, Status.PAUSED])
@pytest.mark.parametrize("waived", [(), (Waiver(what="deadline:1"),)])
@pytest.mark.parametrize("on_deadline", OnDeadline)
def test_a_deadline_comes_at_its_second(on_deadline: OnDeadline, waived: tuple[Waiver, ...], status: Status) -> None:
    """Not one sooner; one that pauses does so once, and one that does more does so whoever paused or resumed."""
    of = policy(steps=weights(5, 25, 50, max_hold_s=3600, on_deadline=on_deadline))
    at = rollout(of, step=1, status=status, waived=waived, pause_reason="ann asked")

    before, then = (turn(at, of, Outcome.INSUFFICIENT, situation(minutes)) for minutes in (59, 60))

    acts = on_deadline is not OnDeadline.HOLD and (
        on_deadline is not OnDeadline.PAUSE or (not waived and status is Status.ACTIVE)
    )
    assert (before.action, before.cause) == (Action.HOLD, Cause.INSUFFICIENT)
    assert (then.action, then.cause) == (
        (Action(on_deadline.value), Cause.DEADLINE) if acts else (Action.HOLD, Cause.INSUFFICIENT)
    )


@pytest.mark.clause("DE-09")
def test_a_deadline_names_what_held_the_step_and_tells_the_rest() -> None:
    """Who reads that a rollout went back is told what it waited for."""
    of = policy(steps=weights(5, 25, max_hold_s=60, on_deadline=OnDeadline.ROLLBACK, approval=Approval.MANUAL))

    decision = turn(rollout(of), of, Outcome.INSUFFICIENT, situation(2))

    assert decision.reason == "5 % held for 2 min, longer than 1 min: error_rate is insufficient"
    assert decision.also == ("error_rate is insufficient", "leaving 5 % waits for an approval")


@pytest.mark.clause("DE-14")
@pytest.mark.parametrize("on_limit", [OnDeadline.ROLLBACK, OnDeadline.PAUSE])
def test_only_a_limit_that_pauses_is_let_pass(on_limit: OnDeadline) -> None:
    """What rolls back does so whatever an operator has seen."""
    of = policy(rules=Rules(limits=Limits(units=100, on_limit=on_limit)))
    seen = rollout(of, waived=(Waiver(what="limit:rule"),))

    decision = turn(seen, of, Outcome.CLEAN, situation(limits=BROKEN))

    assert decision.action is (Action.ROLLBACK if on_limit is OnDeadline.ROLLBACK else Action.PROMOTE)


@pytest.mark.clause("DE-11")
def test_a_rollout_that_went_back_stays_at_no_traffic_and_speaks_of_nothing_else() -> None:
    """Its step is where it stood, its weight is 0, and what was let pass then matters no more."""
    of = policy()
    waived = (Waiver(what="error_rate", harm=9.0),)
    ended = replace(rollout(of, step=1, waived=waived), weight=0.0, status=Status.ROLLED_BACK)

    decision = turn(ended, of, Outcome.REGRESSED)

    assert (decision.step, decision.weight) == (1, 0.0)
    assert (decision.reason, decision.also) == ("the rollout has ended: rolled back", ())


@pytest.mark.clause("DE-06")
@pytest.mark.parametrize(
    ("said", "step", "when", "words"),
    [
        (Outcome.CLEAN, 0, {}, "clean at 5 % with 400 fresh runs, advancing to 25 %"),
        (Outcome.PROVEN, 2, {}, "proven at 50 % with 400 fresh runs, advancing to 100 %"),
        (Outcome.CLEAN, 3, {}, "clean at 100 % with 400 fresh runs; the last step is satisfied"),
        (Outcome.NOT_APPLICABLE, 0, {}, "no comparison applies at 5 % with 400 fresh runs, advancing to 25 %"),
        (
            Outcome.CLEAN,
            1,
            {"earlier_runs": 90},
            "clean at 25 % with 400 fresh runs and 90 from before the rollout, advancing to 50 %",
        ),
    ],
)
def test_a_promotion_says_by_what_and_where_to(said: Outcome, step: int, when: dict[str, Any], words: str) -> None:
    """The sentence is kept in the receipt."""
    of = policy()

    decision = turn(rollout(of, step=step), of, said, situation(**when))

    assert (decision.action, decision.reason, decision.also) == (Action.PROMOTE, words, ())


def _compared(judged: int | None) -> Finding:
    evidence = Evidence(0.0, 0.0, 3.0, None, None, 3.0, None, 400, judged)
    return finding(Outcome.CLEAN, evidence=evidence)


@pytest.mark.clause("DE-06")
@pytest.mark.parametrize(
    ("judged", "words"),
    [
        ((None,), ""),
        ((200,), ""),
        ((199,), ", compared with 199 of the baseline"),
        ((None, 9, 300), ", compared with 9 of the baseline"),
    ],
)
def test_a_promotion_says_what_little_it_was_compared_with(judged: tuple[int | None, ...], words: str) -> None:
    """Where a gate has less than half as many runs of the baseline as are fresh, the least of them is named."""
    of = policy()

    decision = turn(rollout(of), of, verdict(*map(_compared, judged)))

    assert decision.reason == f"clean at 5 % with 400 fresh runs{words}, advancing to 25 %"


@pytest.mark.clause("DE-10")
def test_a_breach_that_was_let_pass_is_told_by_every_decision_after_it() -> None:
    """A receipt that promotes past it says so, and by whose word."""
    of = policy()
    waiver = Waiver(what="error_rate", harm=9.0, revision=3, reason="ann has seen it")
    said = verdict(finding(Outcome.REGRESSED, breach=Breach.PAUSE))

    decision = turn(rollout(of, waived=(waiver,)), of, said)

    assert decision.reason.startswith("the breach of error_rate let pass at 5 % with 400 fresh runs, ")
    assert decision.also == (
        "the breach of error_rate was let pass at revision 3 (ann has seen it): error_rate is regressed",
    )


@pytest.mark.clause("DE-10")
@pytest.mark.parametrize(("harm", "action"), [(11.9, Action.PROMOTE), (12.0, Action.PAUSE)])
def test_harm_that_grew_by_as_much_again_outgrows_its_waiver(harm: float, action: Action) -> None:
    """From the very level on at which harm that begins at the waiver would be shown."""
    of = policy()
    evidence = Evidence(harm, harm, 3.0, None, None, 3.0, None, 400, 400)
    said = verdict(finding(Outcome.REGRESSED, breach=Breach.PAUSE, evidence=evidence))

    decision = turn(rollout(of, waived=(Waiver(what="error_rate", harm=9.0, revision=3),)), of, said)

    assert decision.action is action
    assert ("by as much evidence again" in decision.reason) is (action is Action.PAUSE)


@pytest.mark.clause("DE-05")
@pytest.mark.parametrize("said", [Outcome.INSUFFICIENT, Outcome.REGRESSED, Outcome.UNAVAILABLE, None])
def test_a_pairwise_model_holds_only_where_it_is_required(said: Outcome | None) -> None:
    """What it says against the candidate holds as well as its silence."""
    held = turn(rollout(of := policy(require_pairwise=True)), of, Outcome.CLEAN, situation(pairwise=said))
    free = turn(rollout(of := policy()), of, Outcome.CLEAN, situation(pairwise=said))

    assert (held.action, held.cause) == (Action.HOLD, Cause.PAIRWISE)
    assert free.action is Action.PROMOTE


@pytest.mark.clause("DE-05")
@pytest.mark.parametrize(
    ("fields", "when", "words"),
    [
        ({"acknowledged": 0.0}, {}, "the weight is not acknowledged: 5 % was asked for, none of it was read back"),
        ({"acknowledged": 9.0}, {}, "the weight is not acknowledged: 5 % was asked for, 9 % was read back"),
        ({}, {"untold": "it is down"}, "nobody who moves traffic was told: it is down"),
        ({}, {"fresh_runs": 29}, "5 % has 29 of 30 fresh candidate runs"),
        (
            {},
            {"fresh_runs": 29, "earlier_runs": 7},
            "5 % has 29 of 30 fresh candidate runs; 7 are from before the rollout",
        ),
    ],
)
def test_a_hold_says_what_is_missing(fields: dict[str, Any], when: dict[str, Any], words: str) -> None:
    """One thing is missing, and it is the reason."""
    of = policy()

    decision = turn(rollout(of, **fields), of, Outcome.CLEAN, situation(**when))

    assert (decision.action, decision.reason, decision.also) == (Action.HOLD, words, ())


@pytest.mark.clause("DE-05")
@pytest.mark.parametrize("what", ["settle_s", "min_hold_s", "soak_s"])
def test_a_wait_is_over_at_its_second(what: str) -> None:
    """Not one sooner."""
    of = policy(steps=weights(5, 25, **{what: 3600}))

    before, then = (turn(rollout(of), of, Outcome.CLEAN, situation(minutes)) for minutes in (59, 60))

    assert before.reason.endswith("for 1 h, 1 min left")
    assert (before.action, then.action) == (Action.HOLD, Action.PROMOTE)


@pytest.mark.clause("DE-05")
def test_runs_enough_are_as_many_as_the_step_asks_for() -> None:
    """Thirty of thirty is enough."""
    of = policy()

    assert turn(rollout(of), of, Outcome.CLEAN, situation(fresh_runs=30)).action is Action.PROMOTE


@pytest.mark.clause("DE-13")
def test_a_rollback_goes_to_the_baseline_where_nothing_else_is_said_and_tells_what_else_spoke() -> None:
    """The default way back is the baseline."""
    of = policy()

    decision = turn(rollout(of), of, Outcome.REGRESSED, situation(freeze="incident 7"))

    assert decision.way_back == WayBack(Target.BASELINE, "v36")
    assert decision.also == ("frozen: incident 7",)
    assert decision.document()["target"] == {"kind": "baseline", "release": "v36"}
    assert "waived" not in decision.document()


@pytest.mark.clause("DE-10")
def test_a_paused_rollout_that_reaches_a_reduction_is_reduced() -> None:
    """Only a pause is not made again."""
    of = policy()
    paused = rollout(of, step=2, status=Status.PAUSED, pause_reason="ann asked")

    decision = turn(paused, of, Outcome.CLEAN, situation(sustained=BROKEN))

    assert (decision.action, decision.step, decision.weight) == (Action.REDUCE, 1, 25.0)


@pytest.mark.clause("AC-02")
@pytest.mark.parametrize("status", [Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED])
@pytest.mark.parametrize("action", [Action.APPROVE, Action.CLEAR])
def test_nothing_is_so_already_for_a_rollout_that_has_ended(action: Action, status: Status) -> None:
    """An approval that was given before the end, and an alarm that never stood, are refused like everything else."""
    of = policy()
    ended = rollout(of, status=status, approved_step=0)
    request = Request(action=action, reason="because", seen=Seen(0, 0))

    with pytest.raises(NotPermittedError, match="has ended"):
        intervene(ended, of, request, Outlook(verdict=verdict(Outcome.CLEAN), situation=situation()))


@pytest.mark.clause("DE-10")
@pytest.mark.parametrize("said", [Outcome.INSUFFICIENT, Outcome.UNAVAILABLE])
def test_a_gate_that_was_let_pass_holds_nothing_at_this_step_any_more(said: Outcome) -> None:
    """Whatever it says next, the operator has gone past it; any other gate still holds."""
    of = policy()
    at = rollout(of, waived=(Waiver(what="error_rate", harm=9.0),))

    alone = turn(at, of, said)
    beside = turn(at, of, verdict(finding(said), finding(said, "cost")))

    assert alone.action is Action.PROMOTE
    assert (beside.action, beside.reason, beside.also) == (Action.HOLD, f"cost is {said.value}", ())


@pytest.mark.clause("DE-06")
def test_of_runs_that_no_user_met_those_from_before_the_rollout_are_told_apart() -> None:
    """Where answers are not returned, runs from before count as well, and are not called fresh."""
    of = policy(steps=(Step(kind=StepKind.MIRROR, weight=0.0, min_runs=30), *weights(5)))

    decision = turn(rollout(of), of, Outcome.CLEAN, situation(earlier_runs=90))

    assert "with 310 fresh runs and 90 from before the rollout" in decision.reason


@pytest.mark.clause("AC-07")
def test_what_cannot_be_rolled_back_any_more_says_what_can() -> None:
    """A promoted rollout that another followed, and one that has ended otherwise, want different things."""
    of = policy()
    request = Request(action=Action.ROLLBACK, reason="because")
    outlook = Outlook(verdict=verdict(Outcome.CLEAN), situation=situation())
    advice = {}

    for status in (Status.PROMOTED, Status.CANCELLED):
        with pytest.raises(NotPermittedError) as refused:
            intervene(rollout(of, status=status), of, request, outlook)
        advice[status] = refused.value.advice

    assert advice[Status.PROMOTED].startswith("Another rollout has started since")
    assert advice[Status.CANCELLED] == "Start a new rollout."


@pytest.mark.clause("DE-10")
@pytest.mark.parametrize(
    ("said", "waived_at", "level", "action"),
    [
        (Outcome.INSUFFICIENT, 9.0, 50.0, Action.PROMOTE),
        (Outcome.REGRESSED, None, 2.9, Action.PROMOTE),
        (Outcome.REGRESSED, None, 3.0, Action.PAUSE),
    ],
)
def test_only_a_breach_outgrows_its_waiver_and_one_without_a_number_begins_at_none(
    said: Outcome, waived_at: float | None, level: float, action: Action
) -> None:
    """Evidence of harm that does not show it is no breach, however much it was."""
    of = policy()
    gates = verdict(replace(_compared(400), outcome=said, breach=Breach.PAUSE, evidence=_at_harm(level)))

    decision = turn(rollout(of, waived=(Waiver(what="error_rate", harm=waived_at),)), of, gates)

    assert decision.action is action


def _at_harm(level: float) -> Evidence:
    return Evidence(level, level, 3.0, None, None, 3.0, None, 400, 400)
