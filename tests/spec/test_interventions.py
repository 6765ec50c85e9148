# SPDX-License-Identifier: Apache-2.0
"""What operators may ask of a rollout, and what it comes to: docs/spec.md, Operator actions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lockgate.core.app import App
from lockgate.core.app_receipt import AppAct, draft_app
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.decision.intervention import Change, Outlook, Request, Seen, intervene
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.policy.rule import Limits, Rules
from lockgate.core.policy.step import Approval, OnDeadline, StepKind
from lockgate.core.receipt import MAX_TEXT, Actor, Bindings, draft, operator
from lockgate.core.rollout import Rollout, Status, Waiver
from lockgate.core.situation import Broken, Target, WayBack
from lockgate.core.statement import read_statement
from lockgate.core.transition import Event, Transition, apply
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UsageError
from tests.spec.ramp import START, finding, gate, policy, rollout, situation, verdict, weights

ANN = Actor("person", "ann", "errors in the log")
BREACHED = verdict(finding(Outcome.REGRESSED, breach=Breach.PAUSE), finding(Outcome.REGRESSED, "cost"))


@dataclass(frozen=True)
class Scene:
    """A rollout, what is asked of it, and what is known beside it."""

    action: Action
    at: dict[str, Any] = field(default_factory=dict)
    of: Policy = field(default_factory=policy)
    outlook: dict[str, Any] = field(default_factory=dict)
    situation: dict[str, Any] = field(default_factory=dict)
    cause: Cause = Cause.OPERATOR
    seen: Seen | None = None

    @property
    def rollout(self) -> Rollout:
        """Return the rollout before."""
        return rollout(self.of, **{"revision": 3, **self.at})

    def decide(self) -> Decision | None:
        """Return the decision; approve and promote name what is, unless the scene says otherwise."""
        at = self.rollout
        seen = self.seen or Seen(at.step, at.revision)
        known = {"verdict": verdict(Outcome.CLEAN), "situation": situation(**self.situation), **self.outlook}
        request = Request(action=self.action, reason="errors in the log", cause=self.cause, seen=seen)
        return intervene(at, self.of, request, Outlook(**known))

    def transition(self) -> Transition:
        """Return the transition of a request that changes something."""
        decision = self.decide()
        assert decision is not None
        return apply(self.rollout, decision, START)


MANUAL = policy(steps=weights(5, 25, 50, 100, approval=Approval.MANUAL))
SHADOW = policy(mode=Mode.SHADOW)
FIRST_MIRRORS = policy(steps=(replace(weights(0)[0], kind=StepKind.MIRROR), *weights(5, 100)))

CHANGES: dict[str, tuple[Scene, dict[str, Any]]] = {
    "a pause stops an active rollout and keeps its reason": (
        Scene(Action.PAUSE),
        {"status": Status.PAUSED, "pause_reason": "errors in the log", "weight": 5.0},
    ),
    "a resume goes on": (
        Scene(Action.RESUME, {"status": Status.PAUSED, "pause_reason": "x"}),
        {"status": Status.ACTIVE, "pause_reason": "", "waived": ()},
    ),
    "a resume lets pass the breach that paused, and no breach that rolls back": (
        Scene(Action.RESUME, {"status": Status.PAUSED}, outlook={"verdict": BREACHED}),
        {
            "status": Status.ACTIVE,
            "waived": (Waiver(what="error_rate", harm=0.0, revision=4, reason="errors in the log"),),
        },
    ),
    "an approval is of the step that was seen": (Scene(Action.APPROVE, {"step": 1}, MANUAL), {"approved_step": 1}),
    "a paused rollout may be approved": (
        Scene(Action.APPROVE, {"status": Status.PAUSED}, MANUAL),
        {"approved_step": 0, "status": Status.PAUSED},
    ),
    "a promotion goes one step forward": (Scene(Action.PROMOTE, {"step": 1}), {"step": 2, "weight": 50.0}),
    "a promotion does not wait for runs": (
        Scene(Action.PROMOTE, situation={"fresh_runs": 0}, outlook={"verdict": verdict(Outcome.INSUFFICIENT)}),
        {"step": 1, "weight": 25.0},
    ),
    "a promotion to the last weight is the end": (
        Scene(Action.PROMOTE, {"step": 2}),
        {"status": Status.PROMOTED, "weight": 100.0},
    ),
    "a rollback ends at no traffic": (
        Scene(Action.ROLLBACK, {"step": 2}),
        {"status": Status.ROLLED_BACK, "weight": 0.0},
    ),
    "a paused rollout is rolled back": (
        Scene(Action.ROLLBACK, {"status": Status.PAUSED}),
        {"status": Status.ROLLED_BACK, "pause_reason": ""},
    ),
    "a frozen app is rolled back": (
        Scene(Action.ROLLBACK, situation={"freeze": "incident 7"}),
        {"status": Status.ROLLED_BACK},
    ),
    "a promoted rollout is rolled back while nothing else has started": (
        Scene(Action.ROLLBACK, {"step": 3, "status": Status.PROMOTED}, outlook={"may_return": True}),
        {"status": Status.ROLLED_BACK, "weight": 0.0},
    ),
    "a kill is a rollback": (Scene(Action.ROLLBACK, cause=Cause.KILL), {"status": Status.ROLLED_BACK, "weight": 0.0}),
    "a shadow rollout is cancelled, whatever its step": (
        Scene(Action.CANCEL, {"step": 2}, SHADOW),
        {"status": Status.CANCELLED, "weight": 0.0},
    ),
    "a canary that nobody meets is cancelled": (
        Scene(Action.CANCEL, of=FIRST_MIRRORS),
        {"status": Status.CANCELLED, "weight": 0.0},
    ),
    "a cleared alarm leaves the rollout where it is": (
        Scene(Action.CLEAR, outlook={"ratio_alarm": "the split is off"}),
        {"status": Status.ACTIVE, "step": 0, "weight": 5.0},
    ),
}


@pytest.mark.clause("AC-03", "AC-04", "AC-05", "AC-06", "AC-07", "AC-10")
@pytest.mark.parametrize("words", CHANGES)
def test_a_request_changes_what_it_says_and_the_revision(words: str) -> None:
    """Each request that changes something raises the revision by one and leaves the rest alone."""
    scene, expected = CHANGES[words]

    transition = scene.transition()

    after = transition.after
    assert {name: getattr(after, name) for name in expected} == expected
    assert after.revision == scene.rollout.revision + 1
    assert (transition.decision.cause, transition.decision.reason) == (scene.cause, "errors in the log")


DONE: dict[str, Scene] = {
    "a paused rollout is paused": Scene(Action.PAUSE, {"status": Status.PAUSED}),
    "an active rollout is resumed": Scene(Action.RESUME),
    "an approved step is approved": Scene(Action.APPROVE, {"approved_step": 0}, MANUAL),
    "a rolled back rollout is rolled back": Scene(Action.ROLLBACK, {"status": Status.ROLLED_BACK}),
    "a rolled back rollout is killed": Scene(Action.ROLLBACK, {"status": Status.ROLLED_BACK}, cause=Cause.KILL),
    "a cancelled rollout is cancelled": Scene(Action.CANCEL, {"status": Status.CANCELLED}),
    "an alarm that does not stand is cleared": Scene(Action.CLEAR),
    "the same promotion is asked for again": Scene(
        Action.PROMOTE,
        {"step": 1, "revision": 4},
        outlook={"changes": (Change(4, "promote", "operator"),)},
        seen=Seen(0, 3),
    ),
    "the same approval is asked for again after the step was left": Scene(
        Action.APPROVE,
        {"step": 1, "revision": 5},
        MANUAL,
        {"changes": (Change(4, "approve", "operator"), Change(5, "promote", "satisfied"))},
        seen=Seen(0, 3),
    ),
}


@pytest.mark.clause("AC-02")
@pytest.mark.parametrize("words", DONE)
def test_asking_again_changes_nothing(words: str) -> None:
    """What is so already needs no decision."""
    assert DONE[words].decide() is None


ENDED = [Status.PROMOTED, Status.ROLLED_BACK, Status.CANCELLED]
REFUSED: dict[str, tuple[Scene, type[LockgateError], str]] = {
    "a promotion of a rollout that moved on": (
        Scene(
            Action.PROMOTE,
            {"step": 1, "revision": 4},
            outlook={"changes": (Change(4, "promote", "satisfied"),)},
            seen=Seen(0, 3),
        ),
        TryAgainError,
        "rol_1 is active at step 1 (25 %), revision 4, and you saw step 0, revision 3; since then: promote (satisfied)",
    ),
    "an approval of a rollout that was rolled back": (
        Scene(
            Action.APPROVE,
            {"status": Status.ROLLED_BACK, "revision": 4},
            MANUAL,
            {"changes": (Change(4, "rollback", "regression"),)},
            seen=Seen(0, 3),
        ),
        TryAgainError,
        "since then: rollback (regression)",
    ),
    "a promotion of another step at the same revision": (
        Scene(Action.PROMOTE, seen=Seen(2, 3)),
        TryAgainError,
        "you saw step 2, revision 3",
    ),
    "an approval that nobody waits for": (Scene(Action.APPROVE), UsageError, "leaving 5 % waits for no approval"),
    "a promotion in a frozen app": (
        Scene(Action.PROMOTE, situation={"freeze": "incident 7"}),
        NotPermittedError,
        "claims-agent is frozen: incident 7",
    ),
    "a promotion of a paused rollout": (
        Scene(Action.PROMOTE, {"status": Status.PAUSED, "pause_reason": "a look at the log"}),
        NotPermittedError,
        "rol_1 is paused: a look at the log",
    ),
    "a promotion past a regression": (
        Scene(Action.PROMOTE, outlook={"verdict": verdict(Outcome.REGRESSED)}),
        NotPermittedError,
        "the next tick will rollback rol_1: error_rate is regressed",
    ),
    "a promotion past a limit that is reached": (
        Scene(Action.PROMOTE, situation={"limits": (Broken("time", "7 d are over"),)}),
        NotPermittedError,
        "time: 7 d are over",
    ),
    "a cancellation of an exposed rollout": (Scene(Action.CANCEL), NotPermittedError, "rol_1 is exposed at 5 %"),
    "a cancellation while an old weight is live": (
        Scene(Action.CANCEL, {"acknowledged": 5.0}, FIRST_MIRRORS),
        NotPermittedError,
        "rol_1 is exposed at mirror",
    ),
    "a rollback of a promoted rollout after the next has started": (
        Scene(Action.ROLLBACK, {"status": Status.PROMOTED, "step": 3}),
        NotPermittedError,
        "rol_1 has ended: promoted",
    ),
    "a rollback of a cancelled rollout": (
        Scene(Action.ROLLBACK, {"status": Status.CANCELLED}, outlook={"may_return": True}),
        NotPermittedError,
        "rol_1 has ended: cancelled",
    ),
    **{
        f"to {action.value} a rollout that is {status.value}": (
            Scene(action, {"status": status}, MANUAL, {"ratio_alarm": "the split is off", "may_return": True}),
            NotPermittedError,
            f"rol_1 has ended: {status.value}",
        )
        for action in (Action.PAUSE, Action.RESUME, Action.APPROVE, Action.PROMOTE, Action.CANCEL, Action.CLEAR)
        for status in ENDED
        if (action, status) != (Action.CANCEL, Status.CANCELLED)
    },
}


@pytest.mark.clause("AC-03", "AC-05", "AC-06", "AC-07")
@pytest.mark.parametrize("words", REFUSED)
def test_what_may_not_be_is_refused_and_said(words: str) -> None:
    """A refusal has its kind, and says what stands against it."""
    scene, kind, said = REFUSED[words]

    with pytest.raises(kind) as refused:
        scene.decide()

    assert type(refused.value) is kind
    assert said in refused.value.message
    assert refused.value.advice


@pytest.mark.clause("AC-03")
@pytest.mark.parametrize("action", [Action.APPROVE, Action.PROMOTE])
def test_nobody_approves_or_promotes_unseen(action: Action) -> None:
    """Without step and revision nobody knows what was looked at."""
    with pytest.raises(UsageError, match="needs the step and revision that you saw"):
        intervene(
            rollout(MANUAL),
            MANUAL,
            Request(action=action, reason="why not"),
            Outlook(verdict=verdict(Outcome.CLEAN), situation=situation()),
        )


@pytest.mark.clause("AC-05")
def test_a_promotion_writes_down_what_it_went_past() -> None:
    """Who reads the receipt sees what would have held."""
    thin = {"verdict": verdict(Outcome.INSUFFICIENT)}

    decision = Scene(Action.PROMOTE, situation={"fresh_runs": 3}, outlook=thin).decide()

    assert decision is not None
    assert decision.also == ("error_rate is insufficient", "5 % has 3 of 30 fresh candidate runs")


@pytest.mark.clause("AC-06")
def test_a_rollback_goes_where_it_was_declared_to() -> None:
    """The ways back are tried in their order, as in a rollback by the loop."""
    ways = (WayBack(Target.BASELINE, "v36", "revoked"), WayBack(Target.FALLBACK, "v30"))

    decision = Scene(Action.ROLLBACK, situation={"ways_back": ways}).decide()

    assert decision is not None
    assert (decision.way_back, decision.also) == (ways[1], ("not back to v36: revoked",))


@pytest.mark.clause("AC-04")
def test_after_a_resume_the_same_breach_does_not_pause_and_another_does() -> None:
    """What an operator has seen stays let pass; what comes later is new."""
    of = policy(gate(breach=Breach.PAUSE), gate("cost", breach=Breach.PAUSE))
    seen = verdict(finding(Outcome.REGRESSED, breach=Breach.PAUSE), finding(Outcome.CLEAN, "cost"))
    later = verdict(seen.findings[0], finding(Outcome.REGRESSED, "cost", breach=Breach.PAUSE))
    resumed = Scene(Action.RESUME, {"status": Status.PAUSED}, of, {"verdict": seen}).transition().after

    same = apply(resumed, decide(resumed, of, seen, situation()), START).after
    paused = apply(resumed, decide(resumed, of, later, situation()), START).after

    assert (same.status, same.step, paused.status) == (Status.ACTIVE, 1, Status.PAUSED)


LATE = policy(steps=weights(5, 25, max_hold_s=3600, on_deadline=OnDeadline.PAUSE))
SPENT = policy(rules=Rules(limits=Limits(time_s=60, on_limit=OnDeadline.PAUSE)))
BROKEN = (Broken("time", "it is over"),)


@pytest.mark.clause("AC-04")
@pytest.mark.parametrize(
    ("words", "of", "when"),
    [
        ("a deadline", LATE, {"fresh_runs": 0}),
        ("a limit", SPENT, {"limits": BROKEN}),
        ("a disagreement", policy(), {"disagreement": BROKEN}),
    ],
)
def test_after_a_resume_what_had_paused_does_not_pause_again(words: str, of: Policy, when: dict[str, Any]) -> None:
    """Whatever the pause came from, going on means going on."""
    paused = apply(rollout(of), decide(rollout(of), of, verdict(Outcome.CLEAN), situation(**when)), START).after
    scene = Scene(Action.RESUME, {"status": paused.status, "revision": paused.revision}, of, situation=when)

    resumed = scene.transition().after
    then = decide(resumed, of, verdict(Outcome.CLEAN), situation(**when))

    assert (paused.status, then.action is Action.PAUSE) == (Status.PAUSED, False), words


@pytest.mark.clause("AC-05")
@pytest.mark.parametrize("on_deadline", [OnDeadline.PAUSE, OnDeadline.ROLLBACK])
def test_a_deadline_does_not_stop_an_operator_who_goes_on(on_deadline: OnDeadline) -> None:
    """What is late is late because it waited."""
    of = policy(steps=weights(5, 25, 50, max_hold_s=3600, on_deadline=on_deadline))

    decision = Scene(Action.PROMOTE, of=of, situation={"fresh_runs": 0}).decide()

    assert decision is not None
    assert decision.step == 1
    assert "5 % held for 1 h, longer than 1 h" in decision.also[0]


TOLD: dict[Action, tuple[Event, ...]] = {
    Action.PAUSE: (Event.PAUSE,),
    Action.RESUME: (Event.RESUME,),
    Action.APPROVE: (),
    Action.PROMOTE: (Event.PROMOTE,),
    Action.ROLLBACK: (Event.ROLLBACK, Event.COMPLETED),
    Action.CLEAR: (),
}


@pytest.mark.clause("AC-01")
@pytest.mark.parametrize("action", TOLD)
@pytest.mark.parametrize("mode", Mode)
def test_listeners_hear_of_what_moves_a_canary(action: Action, mode: Mode) -> None:
    """Pause, resume and every change of weight are told; a shadow rollout tells nothing."""
    of = replace(MANUAL, mode=mode)
    at = {"status": Status.PAUSED} if action is Action.RESUME else {}

    transition = Scene(action, at, of, {"ratio_alarm": "the split is off"}).transition()

    assert transition.events == (TOLD[action] if mode is Mode.CANARY else ())


STATE = "sha256:" + "b" * 64
BINDINGS = Bindings(
    seq=2, previous="sha256:" + "a" * 64, state_before=STATE, state_after=STATE, buckets=(), engine="0.1.0"
)


@pytest.mark.clause("AC-01")
@pytest.mark.parametrize("words", CHANGES)
def test_every_action_drafts_a_receipt_with_actor_and_reason(words: str) -> None:
    """Who, why, what stood before and after, and what the evidence said; a verifier reads it as any receipt."""
    scene, _ = CHANGES[words]
    transition = scene.transition()
    said = scene.outlook.get("verdict", verdict(Outcome.CLEAN))

    statement = read_statement(draft(transition, said, scene.of, BINDINGS, ANN).payload)

    predicate: Any = statement.predicate
    assert predicate["actor"] == {"type": "person", "name": "ann", "reason": "errors in the log"}
    assert predicate["decision"]["action"] == scene.action.value
    assert predicate["decision"]["cause"] == scene.cause.value
    waived = [{"what": each.what, "harm": each.harm} for each in transition.after.waived]
    assert predicate["decision"].get("waived", []) == waived
    assert predicate["to"]["revision"] == predicate["from"]["revision"] + 1
    assert predicate["verdict"]["outcome"] == said.outcome.value


@pytest.mark.clause("AC-01")
@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        ("ann", "", "the reason is empty"),
        ("ann", " \n", "the reason is empty"),
        ("", "why", "the name is empty"),
        ("ann", "x" * (MAX_TEXT + 1), f"the reason has {MAX_TEXT + 1} characters, a receipt keeps {MAX_TEXT}"),
        ("a" * (MAX_TEXT + 1), "why", "the name has"),
        ("ann", "\udcff", "the reason is not UTF-8"),
    ],
)
def test_a_reason_that_a_receipt_cannot_keep_is_refused(name: str, reason: str, said: str) -> None:
    """Nothing that somebody gave as a reason is cut."""
    with pytest.raises(UsageError) as refused:
        operator(name, reason)

    assert said in refused.value.message


@pytest.mark.clause("AC-01")
def test_the_longest_reason_is_kept_whole() -> None:
    """What passes the door stands in the receipt as it was said."""
    actor = operator("ann", "ü" * MAX_TEXT)

    payload = draft(Scene(Action.PAUSE).transition(), verdict(Outcome.CLEAN), policy(), BINDINGS, actor).payload

    assert json.loads(payload)["predicate"]["actor"]["reason"] == "ü" * MAX_TEXT


@pytest.mark.clause("AC-12")
@pytest.mark.parametrize("previous", [None, "sha256:" + "a" * 64])
def test_what_is_done_to_an_app_has_a_small_shape_of_the_same_statement(previous: str | None) -> None:
    """A verifier reads it as a receipt; it says how the app stood and stands, and claims no verdict."""
    before = App(name="claims-agent", champion="v37", former_champion="v36")
    act = AppAct(
        org="default",
        before=before,
        after=before.froze("errors in the log"),
        action=Action.FREEZE,
        cause=Cause.OPERATOR,
        reason="errors in the log",
        at=START,
        seq=1 if previous is None else 2,
        previous=previous,
        engine="0.1.0",
    )

    statement = read_statement(draft_app(act, ANN).payload)

    predicate: Any = statement.predicate
    assert statement.rollout_id.startswith("app_")
    assert statement.subjects[0][0] == "claims-agent"
    assert (predicate["from"]["frozen"], predicate["to"]["frozen"]) == (None, "errors in the log")
    assert (predicate["verdict"], predicate["candidate"], predicate["promise"]) == (None, {}, {})
    assert predicate["actor"]["name"] == "ann"


@pytest.mark.clause("AC-08", "AC-09")
def test_a_kill_outranks_a_freeze_and_not_the_other_way_round() -> None:
    """A frozen app that is killed is a killed one; freezing a killed or frozen app changes nothing."""
    app = App(name="claims-agent")
    frozen, killed = app.froze("incident 7"), app.froze("incident 7").froze("errors", is_killed=True)

    assert (killed.frozen, killed.is_killed) == ("errors", True)
    assert (frozen.froze("again"), killed.froze("again"), killed.froze("again", is_killed=True)) == (
        frozen,
        killed,
        killed,
    )
    assert (frozen.unfroze(), killed.unfroze()) == (app, app)
