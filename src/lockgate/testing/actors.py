# SPDX-License-Identifier: Apache-2.0
"""A scene comes in; those who act on it, one step at a time, and what each step came to in words, go out.

Whoever got no answer asks the same again at the next step, as a client that lost its connection does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np

from lockgate.core.batch import RunBatch
from lockgate.core.decision.intervention import Seen
from lockgate.core.dedupe import Dedupe
from lockgate.core.policy.policy import Mode
from lockgate.core.receipt import Actor as Person
from lockgate.core.rollout import Rollout, Status
from lockgate.errors import DataError, NotPermittedError, TryAgainError, UsageError
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import MAX_AHEAD, ingest
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.operations.steering.approve import approve
from lockgate.operations.steering.cancel import cancel
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.intervention import Answer
from lockgate.operations.steering.kill import kill
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.promote import promote
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.tick import Turn, tick
from lockgate.operations.tick_all import tick_all
from lockgate.ports.house import House
from lockgate.testing.acknowledged import Acknowledged
from lockgate.testing.receiver import Receiver
from lockgate.testing.world import Law, World

APP, OTHER_APP = "app", "other"
CHAMPION, CANDIDATES = "r0", ("r1", "r2", "r3")
# High rates, so that a few batches settle what a gate asks.
GOOD, BAD = Law(error_rate=0.1, latency_ms=None), Law(error_rate=0.5, latency_ms=None)
RUNS = 400
PROBES = 24
HOUR, FEW_MINUTES = 3_600.0, 300.0
OF_APP = ("freeze", "freeze", "kill", "declare")
T = TypeVar("T")


@dataclass(slots=True)
class Scene:
    """What all actors of a schedule share.

    `is_strict`: runs have ids, some come again in other batches, and every id is looked at. `is_probed`: some runs
    answer probes. `is_pruned`: what is old is dropped. `known_again` counts runs that came again.
    """

    world: World
    draw: np.random.Generator
    laws: dict[str, Law]
    policies: tuple[dict[str, object], ...]
    receiver: Receiver
    apps: tuple[str, ...] = (APP,)
    is_strict: bool = False
    is_probed: bool = False
    is_pruned: bool = False
    known_again: int = 0
    acknowledged: Acknowledged = field(default_factory=Acknowledged)

    @property
    def house(self) -> House:
        """Return what operations work with."""
        return self.world.house

    def one_of(self, choices: Sequence[T]) -> T:
        """Draw one."""
        return choices[int(self.draw.integers(len(choices)))]

    def one_app(self) -> str:
        """Draw an app, the first more often."""
        return self.apps[0] if len(self.apps) == 1 or self.happens(0.7) else self.apps[-1]

    def happens(self, odds: float) -> bool:
        """Draw whether something happens."""
        return bool(self.draw.random() < odds)


class Actor(Protocol):
    """Somebody who acts."""

    name: str

    def step(self) -> str:
        """Do the next thing, and say what it came to."""
        ...


class Ingester:
    """Sends batches of runs; one that was not answered is sent again."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name, self._scene = name, scene
        self._unanswered: tuple[RunBatch, bool] | None = None
        self._answered: RunBatch | None = None

    def step(self) -> str:
        """Send a batch."""
        if self._unanswered is None:
            self._unanswered = (self._next(), self._scene.happens(0.15))
            self._scene.acknowledged.send(self._unanswered[0])
        batch, is_imported = self._unanswered
        try:
            dedupe = Dedupe(is_strict=True) if self._scene.is_strict else None
            result = ingest(batch, self._scene.house, by_start_time=is_imported, dedupe=dedupe)
        except DataError as refusal:
            if int(batch.started_at.max()) <= self._scene.world.clock.now() + MAX_AHEAD:
                raise
            return f"keeps a batch for later: {refusal.message}"
        self._unanswered, self._answered = None, batch
        self._scene.acknowledged.take(result)
        self._scene.known_again += result.duplicates
        again = " again" if result.is_repeated else ""
        return f"ingests {result.runs} runs{' by start time' * is_imported}{again}"

    def _next(self) -> RunBatch:
        scene = self._scene
        if scene.is_strict and self._answered is not None and scene.happens(0.2):
            # What a writer sends again that forgot what it had sent: other bytes, the same runs.
            return replace(self._answered, body=self._answered.body + b"again\n")
        app = scene.one_app()
        active = list_rollouts(scene.house, app, active=True)
        runs = {CHAMPION: RUNS}
        for rollout in active:
            # Mirrored and shadow candidates answer beside the traffic.
            weight = rollout.exposed_weight if rollout.mode is Mode.CANARY else 0.0
            runs[rollout.candidate] = max(4, round(RUNS * (weight or 25.0) / 50.0))
        probes = PROBES if scene.is_probed else 0
        return scene.world.batch(app, runs, scene.laws, has_ids=scene.is_strict, probes=probes)


class Ticker:
    """Takes turns of the loop, for one rollout or for all."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name, self._scene = name, scene

    def step(self) -> str:
        """Tick."""
        scene = self._scene
        known = [] if scene.happens(0.3) else [each.id for each in list_rollouts(scene.house, scene.one_app())]
        turns = (tick(scene.one_of(known), scene.house),) if known else self._all()
        for turn in turns:
            scene.acknowledged.decide(turn.rollout, turn.receipt)
        return f"ticks: {'; '.join(map(_said, turns)) or 'nothing is on trial'}"

    def _all(self) -> tuple[Turn, ...]:
        came_to = tick_all(self._scene.house)
        for problem in came_to.problems:
            if not isinstance(problem.error, TryAgainError):
                raise problem.error
        return came_to.turns


class Owner:
    """Puts candidates on trial."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name, self._scene = name, scene
        self._unanswered: Order | None = None

    def step(self) -> str:
        """Create a rollout."""
        scene = self._scene
        order = self._unanswered = self._unanswered or self._next()
        try:
            made = create(order, scene.house)
        except (NotPermittedError, TryAgainError, UsageError) as refusal:
            self._unanswered = None
            return f"creates {order.candidate}: refused, {refusal}"
        self._unanswered = None
        scene.acknowledged.decide(made.rollout, 1)
        return f"creates {order.candidate}: {made.rollout.id}{' again' if made.is_existing else ''}"

    def _next(self) -> Order:
        scene = self._scene
        return Order(
            app=scene.one_app(),
            candidate=scene.one_of(CANDIDATES),
            baseline=CHAMPION,
            policy=scene.one_of(scene.policies),
            since_s=600 if scene.happens(0.2) else None,
            is_replacing=scene.happens(0.3),
            actor=Person("person", self.name, "release"),
        )


Request = Callable[[], str]


class Operator:
    """Looks, then asks for something; what was not answered is asked again, and may have been granted."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.name, self._scene = name, scene
        self._person = Person("person", name, "as drawn")
        self._unanswered: tuple[str, Request] | None = None

    def step(self) -> str:
        """Ask."""
        asked = self._unanswered = self._unanswered or self._next()
        try:
            said = asked[1]()
        except (NotPermittedError, TryAgainError, UsageError) as refusal:
            said = f"refused, {refusal}"
        self._unanswered = None
        return f"asks to {asked[0]}: {said}"

    def _next(self) -> tuple[str, Request]:
        scene = self._scene
        name = scene.one_app()
        with scene.house.store.reading(scene.house.org) as seen:
            app, found = seen.app(name), seen.rollouts(name)
        is_frozen = app is not None and app.frozen is not None
        if app is not None and (not found or scene.happens(0.4 if is_frozen else 0.15)):
            return self._of_app(name, "unfreeze" if is_frozen else scene.one_of(OF_APP))
        if not found:
            return "look", lambda: "nothing is there"
        return self._of_rollout(found[-1] if scene.happens(0.8) else scene.one_of(found))

    def _of_app(self, app: str, act: str) -> tuple[str, Request]:
        house, person = self._scene.house, self._person
        if act == "kill":
            which = None if self._scene.happens(0.3) else app
            return act, lambda: f"receipts {[each.receipt for each in kill(which, person, house)]}"
        if act == "declare":
            program = Program(argv=("router",), folder="/", is_acknowledging=self._scene.happens(0.5))
            return act, lambda: f"receipt {set_actuator(app, program, person, house).standing.receipt}"
        change = freeze if act == "freeze" else unfreeze
        return act, lambda: f"receipt {change(app, person, house).receipt}"

    def _of_rollout(self, rollout: Rollout) -> tuple[str, Request]:
        house, person, seen = self._scene.house, self._person, Seen(rollout.step, rollout.revision)
        acts: dict[str, Callable[[], Answer]] = {
            "pause": lambda: pause(rollout.id, person, house),
            "resume": lambda: resume(rollout.id, person, house),
            "approve": lambda: approve(rollout.id, seen, person, house),
            "promote": lambda: promote(rollout.id, seen, person, house),
            "cancel": lambda: cancel(rollout.id, person, house),
            "rollback": lambda: rollback(rollout.id, person, house),
        }
        # Who sees what a rollout waits for mostly does that.
        likely = "resume" if rollout.status is Status.PAUSED else "approve"
        name = likely if self._scene.happens(0.6) else self._scene.one_of(tuple(acts))
        return f"{name} {rollout.id}", lambda: self._answered(acts[name]())

    def _answered(self, answer: Answer) -> str:
        self._scene.acknowledged.decide(answer.rollout, answer.receipt)
        return f"{answer.rollout.status.value} at revision {answer.rollout.revision}"


class Time:
    """Passes; now and then it jumps, also backwards."""

    name = "time"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def step(self) -> str:
        """Let time pass."""
        scene = self._scene
        seconds = float(scene.draw.uniform(20.0, 90.0))
        if scene.happens(0.06):
            seconds = scene.one_of((HOUR, -FEW_MINUTES, -HOUR))
        scene.world.clock.advance(seconds)
        return f"{seconds:+.1f} s"


def _said(turn: Turn) -> str:
    decision = turn.transition.decision
    return f"{turn.rollout.id} {decision.action.value} ({decision.cause.value}), revision {turn.rollout.revision}"
