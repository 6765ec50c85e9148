# SPDX-License-Identifier: Apache-2.0
"""A stage and a folder come in; two candidates are tried on live traffic, and whether all went as told goes out.

Nothing of the outcome is written down: runs come from requests, decisions from ticks, and the acts only say what a
candidate of such a behaviour has to come to.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lockgate.core.finding import Outcome
from lockgate.core.receipt import operator
from lockgate.core.rollout import Rollout
from lockgate.demo import scene
from lockgate.demo.choice import choose
from lockgate.demo.proof import verify_all
from lockgate.demo.router import Router
from lockgate.demo.stage import Ended, Split, Stage, render_end, render_frame, render_lines, render_move
from lockgate.demo.traffic import Traffic
from lockgate.operations.actuator import Program, set_actuator
from lockgate.operations.create import Order, create
from lockgate.operations.deliver import Bounds, deliver
from lockgate.operations.export import export
from lockgate.operations.ingest import ingest
from lockgate.operations.queries import explain
from lockgate.operations.tick import tick
from lockgate.ports.house import House
from lockgate.wiring import actuators, local_house, run_batches

# Traffic before the first candidate, so that what the baseline's runs carry is known.
WARM_UP_S = 1.5
PULSE_S = 0.5
# In how many pulses the last requests by the former weights are over.
MOVED_PULSES = 6
MOVE_S = 10.0


def play(stage: Stage, folder: Path, kind: str | None = None) -> bool:
    """Try both candidates, verify every receipt, and return whether all of it happened."""
    with _set_up(stage, folder, kind) as scenery:
        stage.tell(f"  {scene.FIRST} serves {scene.APP}. Its requests go through {scenery.router.name}.")
        while scenery.elapsed < WARM_UP_S:
            scenery.breathe()
        ended: list[Ended] = []
        for act in scene.ACTS:
            # After the first act the baseline is the champion that it made.
            one = scenery.try_out(act, None if ended else scene.FIRST)
            if one is None:
                stage.draw("")
                stage.tell(f"  {act.candidate} was not decided in {scene.PATIENCE_S:.0f} s: is this machine busy?")
                return False
            ended.append(one)
        stage.draw("")
        _sum_up(scenery, ended, folder)
    return all(one.is_as_told for one in ended)


class _Scenery:
    """Traffic, a router and a store, and the time that has gone."""

    def __init__(self, stage: Stage, house: House, traffic: Traffic, router: Router) -> None:
        self.stage, self.house, self.traffic, self.router = stage, house, traffic, router
        self._began = time.monotonic()
        self._breathed = self._began
        self._split = Split(self._began)

    @property
    def elapsed(self) -> float:
        """Return for how many seconds it has gone on."""
        return time.monotonic() - self._began

    def breathe(self) -> Counter[str]:
        """Let traffic flow for a moment, ingest what it left, and return how it was split."""
        time.sleep(PULSE_S)
        body, counts = self.traffic.take(scene.APP)
        self._breathed = time.monotonic()
        self._split.add(self._breathed, counts)
        if body:
            ingest(run_batches().decode(body, None), self.house)
        return counts

    def try_out(self, act: scene.Act, baseline: str | None) -> Ended | None:
        """Put a candidate on trial, tick until that has ended, and return how; None when time is over."""
        order = Order(app=scene.APP, candidate=act.candidate, baseline=baseline, policy=scene.POLICY)
        created = create(order, self.house)
        rollout, began = created.rollout, self.elapsed
        self._carry_out()
        while self.elapsed < scene.PATIENCE_S:
            self.breathe()
            step = rollout.at(created.policy).label()
            turn = tick(rollout.id, self.house)
            if turn.transition.before.revision != turn.rollout.revision:
                reason = turn.transition.decision.reason
                self.stage.tell(render_move(self.elapsed, turn.rollout, reason, self.stage.screen))
            rollout = turn.rollout
            self._carry_out()
            self._draw(act, rollout)
            if rollout.is_terminal:
                worse = tuple(each.metric.name for each in turn.verdict.findings if each.outcome is Outcome.REGRESSED)
                return Ended(act, rollout, step, self.elapsed - began, worse, self._is_carried_out(rollout))
        return None

    def _carry_out(self) -> None:
        """Let the actuator move the router when the weight has changed."""
        for told in deliver(self.house, actuators(), Bounds(app=scene.APP)):
            self._split = Split(self._breathed)
            if told.delivery.error:
                self.stage.tell(render_lines("  ", told.delivery.error, self.stage.screen))

    def _is_carried_out(self, rollout: Rollout) -> bool:
        """Say whether the candidate soon gets all requests, or none, as its trial ended."""
        for _ in range(MOVED_PULSES):
            counts = self.breathe()
            wanted = counts.total() if rollout.exposed_weight else 0
            if counts and counts[rollout.candidate] == wanted:
                return True
        return False

    def _draw(self, act: scene.Act, rollout: Rollout) -> None:
        said, now = explain(rollout.id, self.house), self.house.clock.now()
        self.stage.draw(render_frame(act, self._split.words(self.router.name), said, now, self.stage.screen))


@contextmanager
def _set_up(stage: Stage, folder: Path, kind: str | None) -> Iterator[_Scenery]:
    place = folder / "router"
    place.mkdir()
    traffic = Traffic(scene.BEHAVIOURS, scene.SEED)
    try:
        router = choose(place, traffic.loop, kind)
        port = router.start(traffic.ports)
        try:
            traffic.flow(port, scene.RATE)
            house = local_house(folder / "home")
            set_actuator(scene.APP, _program(place, router), operator("lockgate demo", "it moves the router"), house)
            yield _Scenery(stage, house, traffic, router)
        finally:
            router.stop()
    finally:
        traffic.stop()


def _program(place: Path, router: Router) -> Program:
    """Return the program that moves the router, by which Lockgate knows what is live where the router says it."""
    command = (sys.executable, "-m", "lockgate.demo.weight_mover", str(place))
    says = router.weight(scene.FIRST) is not None
    return Program(argv=command, folder=str(place), timeout_s=MOVE_S, is_acknowledging=says)


def _sum_up(scenery: _Scenery, ended: Sequence[Ended], folder: Path) -> None:
    stage, who, count = scenery.stage, "", 0
    for one in ended:
        stage.tell(render_end(one, stage.screen))
    for one in ended:
        who, some = verify_all(export(one.rollout.id, scenery.house), folder / "receipts" / one.act.candidate)
        count += some
    lines = (
        f"{count} receipts, one for each decision, verified with {who}.",
        f"{scenery.traffic.requests:,} requests in {scenery.elapsed:.0f} s.",
    )
    for line in lines:
        stage.tell(render_lines("    ", line, stage.screen))
