# SPDX-License-Identifier: Apache-2.0
"""Ticks, requests and freezes come in any order; a rollout must keep its rules: docs/spec.md, Operator actions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.decision.intervention import Change, Outlook, Request, Seen, intervene
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Breach
from lockgate.core.policy.policy import Mode
from lockgate.core.policy.step import Approval, OnDeadline
from lockgate.core.rollout import Rollout, Status
from lockgate.core.situation import Broken, Situation
from lockgate.core.transition import Transition, apply
from lockgate.core.verdict.verdict import Verdict
from lockgate.errors import LockgateError
from tests.spec.ramp import MINUTE, START, finding, gate, policy, rollout, verdict, weights

BROKEN = (Broken("rule", "it is broken"),)
ASKED = (Action.PAUSE, Action.RESUME, Action.APPROVE, Action.PROMOTE, Action.ROLLBACK, Action.CANCEL, Action.CLEAR)


class Life(RuleBasedStateMachine):
    """One rollout from its start to after its end."""

    @initialize(
        mode=strategies.sampled_from(Mode),
        approval=strategies.sampled_from(Approval),
        soak_s=strategies.sampled_from([0, 300]),
    )
    def begin(self, mode: Mode, approval: Approval, soak_s: int) -> None:
        """Start on a ramp of four weights, whose first serves nobody."""
        ramp = weights(0, 5, 25, approval=approval, max_hold_s=3600, on_deadline=OnDeadline.ROLLBACK)
        self.policy = policy(gate(breach=Breach.PAUSE), mode=mode, steps=(*ramp, *weights(100, soak_s=soak_s)))
        self.rollout = rollout(self.policy)
        self.now = START
        self.freeze: str | None = None
        self.is_killed = False
        self.walked: list[Transition] = []
        self.has_next = False

    @rule(
        said=strategies.sampled_from(Outcome),
        breach=strategies.sampled_from(Breach),
        minutes=strategies.integers(0, 90),
        runs=strategies.sampled_from([0, 400]),
        is_broken=strategies.booleans(),
    )
    def tick(self, said: Outcome, breach: Breach, minutes: int, runs: int, is_broken: bool) -> None:
        """Let time pass and take a turn of the loop."""
        self.now += minutes * MINUTE
        seen = replace(self._situation(), fresh_runs=runs, sustained=BROKEN if is_broken else ())
        decision = decide(self.rollout, self.policy, verdict(finding(said, breach=breach)), seen)
        self._keep(apply(self.rollout, decision, self.now))

    @rule(
        action=strategies.sampled_from(ASKED),
        said=strategies.sampled_from(Outcome),
        is_stale=strategies.booleans(),
        has_alarm=strategies.booleans(),
    )
    def ask(self, action: Action, said: Outcome, is_stale: bool, has_alarm: bool) -> None:
        """Ask something, sometimes of an old sight; a refusal changes nothing, and asking twice no more than once."""
        at = self.rollout
        request = Request(action=action, reason="asked", seen=Seen(at.step, at.revision - is_stale))
        alarm = "the split is off" if has_alarm else None
        granted = self._intervene(request, verdict(finding(said, breach=Breach.PAUSE)), alarm)
        if granted is not None and action is not Action.CLEAR:
            assert self._intervene(request, verdict(said), alarm) is None

    @rule()
    def kill(self) -> None:
        """Roll back at once, and freeze."""
        request = Request(action=Action.ROLLBACK, reason="killed", cause=Cause.KILL)
        self._intervene(request, verdict(Outcome.CLEAN), None)
        self.freeze = "killed"
        self.is_killed = self.rollout.status is Status.ROLLED_BACK

    @rule(reason=strategies.sampled_from([None, "incident 7"]))
    def freeze_or_not(self, reason: str | None) -> None:
        """Freeze the app, or end its freeze."""
        self.freeze = reason

    @rule()
    def start_the_next(self) -> None:
        """Let another rollout of the app start, so that this one is history."""
        self.has_next = self.has_next or self.rollout.is_terminal

    def _situation(self) -> Situation:
        return Situation(now=self.now, fresh_runs=400, freeze=self.freeze)

    def _intervene(self, request: Request, said: Verdict, alarm: str | None) -> Transition | None:
        changes = tuple(
            Change(each.after.revision, each.decision.action.value, each.decision.cause.value)
            for each in self.walked
            if request.seen is not None and not each.is_look and each.after.revision > request.seen.revision
        )
        outlook = Outlook(
            verdict=said,
            situation=self._situation(),
            changes=changes,
            may_return=not self.has_next,
            ratio_alarm=alarm,
        )
        try:
            decision = intervene(self.rollout, self.policy, request, outlook)
        except LockgateError:
            return None
        if decision is None:
            return None
        transition = apply(self.rollout, decision, self.now)
        assert not transition.is_look
        self._keep(transition)
        return transition

    def _keep(self, transition: Transition) -> None:
        self._check(transition)
        self.walked.append(transition)
        self.rollout = transition.after

    def _check(self, moved: Transition) -> None:
        before, after, decision = moved.before, moved.after, moved.decision
        assert after.revision == before.revision + (not moved.is_look)
        assert abs(after.step - before.step) <= 1
        if after.step < before.step:
            assert decision.action is Action.REDUCE
        if after.step > before.step or (after.status is Status.PROMOTED and before.status is not Status.PROMOTED):
            assert decision.action is Action.PROMOTE
            assert (self.freeze, before.status) == (None, Status.ACTIVE)
        if before.is_terminal and not moved.is_look:
            assert (before.status, after.status) == (Status.PROMOTED, Status.ROLLED_BACK)
            assert decision.cause in (Cause.OPERATOR, Cause.KILL)
            assert not self.has_next

    @invariant()
    def the_weight_is_of_its_step_or_nothing(self) -> None:
        """A weight is walked to, one step at a time; what was rolled back or cancelled has none."""
        at = self.rollout
        is_out = at.status in (Status.ROLLED_BACK, Status.CANCELLED)
        assert at.weight == (0.0 if is_out else self.policy.steps[at.step].weight)

    @invariant()
    def the_revision_counts_what_changed(self) -> None:
        """No number is missing and none is given twice."""
        revisions = [each.after.revision for each in self.walked if not each.is_look]
        assert revisions == list(range(1, len(revisions) + 1))

    @invariant()
    def a_kill_is_never_undone(self) -> None:
        """What was killed stays at no traffic."""
        if self.is_killed:
            assert (self.rollout.status, self.rollout.weight) == (Status.ROLLED_BACK, 0.0)

    @invariant()
    def nobody_cancels_what_users_meet(self) -> None:
        """An exposed canary has a rollback in its past, or is still there."""
        last: Rollout = self.walked[-1].before if self.walked else self.rollout
        if self.rollout.status is Status.CANCELLED and last.status is not Status.CANCELLED:
            assert last.exposed_weight == 0.0


@pytest.mark.clause("AC-13")
def test_a_life_keeps_its_rules_in_any_order() -> None:
    """Revision without gaps, a walk of single steps, an end that stays, a kill that nobody undoes."""
    run_state_machine_as_test(Life, settings=settings(max_examples=150, stateful_step_count=30, deadline=None))
