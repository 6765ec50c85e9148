# SPDX-License-Identifier: Apache-2.0
"""Creations, runs, ticks, requests and time in any order, through the real operations: docs/spec.md, Schedules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lockgate.core.decision.intervention import Seen
from lockgate.core.receipt import Actor
from lockgate.core.rollout import Rollout, Status
from lockgate.errors import NotPermittedError, TryAgainError, UsageError
from lockgate.operations.asking.queries import explain, list_rollouts
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.intervention import Answer
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import tick
from lockgate.testing.contents import Reader
from lockgate.testing.invariants import broken
from lockgate.testing.remembered import Remembered
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store

APP, PERSON = "app", Actor("person", "ops", "because")
LAWS = {name: Law(error_rate=rate, latency_ms=None) for name, rate in {"v1": 0.1, "v2": 0.1, "v3": 0.6}.items()}
RAMPS: tuple[list[dict[str, Any]], ...] = (
    [{"weight": 25}, {"weight": 100}],
    [{"weight": 10}, {"weight": 50, "approval": "manual"}, {"weight": 100}],
    [{"weight": 50, "max_hold": "30m", "on_deadline": "pause"}, {"weight": 100, "soak": "5m"}],
)
ASKS = {"pause": pause, "resume": resume, "rollback": rollback, "cancel": cancel}
SIGHTED_ASKS = {"approve": approve, "promote": promote}
REFUSALS = (NotPermittedError, TryAgainError, UsageError)


class Line(RuleBasedStateMachine):
    """One app with all that may befall it."""

    @initialize()
    def begin(self) -> None:
        """Start with nothing."""
        self.here = World(memory_store(), 1)
        self.reader, self.remembered = Reader(), Remembered()

    @rule(
        candidate=st.sampled_from(["v2", "v3"]),
        ramp=st.sampled_from(RAMPS),
        mode=st.sampled_from(["canary", "canary", "shadow"]),
        is_replacing=st.booleans(),
    )
    def start(self, candidate: str, ramp: list[dict[str, Any]], mode: str, is_replacing: bool) -> None:
        """Put a candidate on trial; asking again returns the same rollout."""
        order = Order(
            app=APP,
            candidate=candidate,
            baseline="v1",
            policy={"mode": mode, "steps": ramp},
            is_replacing=is_replacing,
            actor=PERSON,
        )
        try:
            made = create(order, self.here.house)
        except (NotPermittedError, TryAgainError):
            return
        assert create(order, self.here.house).rollout == made.rollout

    @rule(minutes=st.integers(1, 4), baseline=st.sampled_from([0, 400]), candidate=st.sampled_from([0, 20, 400]))
    def serve(self, minutes: int, baseline: int, candidate: int) -> None:
        """Let traffic flow, and time pass."""
        for _ in range(minutes):
            runs = {"v1": baseline, "v2": candidate, "v3": candidate}
            if any(runs.values()):
                batch = self.here.batch(APP, runs, LAWS)
                first, again = ingest(batch, self.here.house), ingest(batch, self.here.house)
                assert (first.runs, first.is_repeated, again.is_repeated) == (sum(runs.values()), False, True)
            self.here.clock.advance(60)

    @rule(minutes=st.sampled_from([-600, -1, 1, 40, 600]))
    def jump(self, minutes: int) -> None:
        """Set the clock, also back."""
        self.here.clock.advance(60 * minutes)

    @precondition(lambda self: bool(list_rollouts(self.here.house)))
    @rule(data=st.data())
    def turn(self, data: st.DataObject) -> None:
        """Tick one; what `explain` said is what is decided, and a second tick has nothing to add."""
        rollout = data.draw(st.sampled_from(list_rollouts(self.here.house)))
        expected = explain(rollout.id, self.here.house).decision

        turn = tick(rollout.id, self.here.house)

        assert turn.transition.decision == expected
        if not turn.transition.is_look:
            assert not tick(rollout.id, self.here.house).transition.moves

    @precondition(lambda self: bool(list_rollouts(self.here.house)))
    @rule(data=st.data(), name=st.sampled_from([*ASKS, *SIGHTED_ASKS]), is_stale=st.booleans())
    def ask(self, data: st.DataObject, name: str, is_stale: bool) -> None:
        """Ask something; granted once, it is answered the same again."""
        rollout = data.draw(st.sampled_from(list_rollouts(self.here.house)))
        seen = Seen(rollout.step, rollout.revision - is_stale)
        try:
            granted = self._asked(name, rollout, seen)
        except REFUSALS:
            assert rollout in list_rollouts(self.here.house)
            return
        assert self._asked(name, rollout, seen) == granted

    def _asked(self, name: str, rollout: Rollout, seen: Seen) -> Answer:
        if name in ASKS:
            return ASKS[name](rollout.id, PERSON, self.here.house)
        return SIGHTED_ASKS[name](rollout.id, seen, PERSON, self.here.house)

    @precondition(lambda self: bool(list_rollouts(self.here.house)))
    @rule(name=st.sampled_from(["freeze", "unfreeze", "unfreeze", "kill"]))
    def act_on_app(self, name: str) -> None:
        """Freeze, unfreeze or kill; after a kill nothing is on trial."""
        if name == "kill":
            kill(APP, PERSON, self.here.house)
            assert not list_rollouts(self.here.house, active=True)
            return
        (freeze if name == "freeze" else unfreeze)(APP, PERSON, self.here.house)

    @invariant()
    def every_rule_holds(self) -> None:
        """As after a schedule; and what was there is there."""
        house = self.here.house
        with house.store.reading() as seen:
            contents = self.reader.read(seen, house.org)
            assert broken(contents, seen) == []
        assert list(self.remembered.changed(contents)) == []

    @invariant()
    def a_champion_is_what_serves(self) -> None:
        """What is rolled back or cancelled serves nothing."""
        for rollout in list_rollouts(self.here.house):
            if rollout.status in (Status.ROLLED_BACK, Status.CANCELLED):
                assert rollout.exposed_weight == 0.0

    def teardown(self) -> None:
        """Make every decision again from the stored evidence."""
        if hasattr(self, "here"):
            assert fsck(self.here.house).flaws == ()


@pytest.mark.clause("LI-150")
def test_the_line_keeps_its_rules_in_any_order() -> None:
    """Whatever is created, served, ticked, asked and jumped, in whatever order."""
    run_state_machine_as_test(Line, settings=settings(max_examples=150, stateful_step_count=30, deadline=None))
