# SPDX-License-Identifier: Apache-2.0
"""A stage and a folder come in; two candidates are tried on live traffic, and whether all went as told goes out.

Nothing of the outcome is written down: runs come from requests, decisions from a server's turns, weights from webhooks,
and the acts only say what a candidate of such a behaviour has to come to.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lockgate.demo import scene
from lockgate.demo.choice import ROUTER, choose
from lockgate.demo.decided import Decided, decided
from lockgate.demo.mover import journal_of
from lockgate.demo.proof import verify_all
from lockgate.demo.router import Router
from lockgate.demo.server import Server, files_of
from lockgate.demo.stage import Ended, Split, Stage, render_end, render_frame, render_lines, render_move
from lockgate.demo.traffic import Traffic

# Traffic before the first candidate, so that what the baseline's runs carry is known.
WARM_UP_S = 1.5
PULSE_S = 0.5
# In how many pulses, at most, the router has the last weight and all requests by the former ones are over.
MOVED_PULSES = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What goes on after the demonstration: the server's address, and the numbers of what ends all of it."""

    url: str
    numbers: tuple[int, ...]


def play(stage: Stage, folder: Path, kind: str | None = None, *, is_kept: bool = False) -> tuple[bool, Left | None]:
    """Try both candidates, verify every receipt, and return whether all of it happened, and what goes on."""
    with _set_up(stage, folder, kind) as scenery:
        for line in scenery.opening():
            stage.tell(render_lines("  ", line, stage.screen))
        while scenery.elapsed < WARM_UP_S:
            scenery.breathe()
        ended: list[Ended] = []
        for act in scene.ACTS:
            # After the first act the baseline is the champion that it made.
            one = scenery.try_out(act, None if ended else scene.FIRST)
            if one is None:
                stage.draw("")
                stage.tell(f"  {act.candidate} was not decided in {scene.PATIENCE_S:.0f} s: is this machine busy?")
                return False, None
            ended.append(one)
        stage.draw("")
        _sum_up(scenery, ended, folder)
        left = scenery.leave() if is_kept else None
    return all(one.is_as_told for one in ended), left


class _Scenery:
    """Traffic, a router and a server, and the time that has gone."""

    def __init__(self, stage: Stage, folder: Path, server: Server, traffic: Traffic, router: Router) -> None:
        self.stage, self.server, self.traffic, self.router = stage, server, traffic, router
        self._folder = folder
        self._began = time.monotonic()
        self._split = Split(self._began)

    @property
    def elapsed(self) -> float:
        """Return for how many seconds it has gone on."""
        return time.monotonic() - self._began

    def opening(self) -> tuple[str, ...]:
        """Return what there is to begin with."""
        router = self.router.name
        return (
            f"{scene.FIRST} serves {scene.APP}. Its requests go through {router}.",
            f"A server at {self.server.url} decides, and signed webhooks tell {router}.",
        )

    def breathe(self) -> Counter[str]:
        """Let traffic flow for a moment, send what it left, and return how it was split."""
        time.sleep(PULSE_S)
        body, counts = self.traffic.take(scene.APP)
        self._split.add(time.monotonic(), counts)
        if body:
            self.server.client.send_runs(body)
        return counts

    def try_out(self, act: scene.Act, baseline: str | None) -> Ended | None:
        """Put a candidate on trial, watch until that has ended, and return how; None when time is over."""
        rollout = self.server.client.create(scene.APP, act.candidate, baseline=baseline, policy=scene.POLICY)["id"]
        began, decisions = self.elapsed, list[Decided]()
        while self.elapsed < scene.PATIENCE_S:
            self.breathe()
            for each in self._news(rollout, len(decisions)):
                decisions.append(each)
                if each.is_movement and len(decisions) > 1:
                    self._split = self._split.anew(time.monotonic())
                    self.stage.tell(render_move(self.elapsed, act.candidate, each, self.stage.screen))
            self.stage.draw(self._frame(act, rollout))
            if decisions[-1].is_last:
                is_followed = self._is_followed(act.candidate, rollout, decisions)
                step = self.server.look(rollout)["steps"][decisions[-1].step]
                seconds = self.elapsed - began
                return Ended(act, rollout, tuple(decisions), step, seconds, self._applied(rollout), is_followed)
        return None

    def leave(self) -> Left:
        """Let server, receiver and router go on, and say how they are reached and ended."""
        router = self.router.keep()
        return Left(self.server.url, (*self.server.keep(), *([] if router is None else [router])))

    def _news(self, rollout_id: str, known: int) -> list[Decided]:
        return [decided(each["receipt"]) for each in self.server.receipts(rollout_id, known)]

    def _frame(self, act: scene.Act, rollout_id: str) -> str:
        screen = self.stage.screen
        return render_frame(act, self._split.words(self.router.name), self.server.view(rollout_id, screen), screen)

    def _applied(self, rollout_id: str) -> tuple[float, ...]:
        """Return the weights that the router had; one that was told twice counts once."""
        told = {seq: weight for rollout, seq, weight in journal_of(self._folder) if rollout == rollout_id}
        return tuple(told.values())

    def _is_followed(self, candidate: str, rollout_id: str, decisions: Sequence[Decided]) -> bool:
        """Say whether all weights are carried out and the candidate gets all requests, or none, as its trial ended."""
        moves = sum(each.is_movement for each in decisions)
        for _ in range(MOVED_PULSES):
            counts = self.breathe()
            wanted = counts.total() if decisions[-1].weight else 0
            if counts and counts[candidate] == wanted and len(self._applied(rollout_id)) >= moves:
                return True
        return False


@contextmanager
def _set_up(stage: Stage, folder: Path, kind: str | None) -> Iterator[_Scenery]:
    place = folder / ROUTER
    place.mkdir()
    with ExitStack() as ends:
        traffic = Traffic(scene.BEHAVIOURS, scene.SEED)
        ends.callback(traffic.stop)
        router = choose(place, traffic.loop, kind)
        ends.callback(router.stop)
        traffic.flow(router.start(traffic.ports), scene.RATE)
        server = Server(folder)
        ends.callback(server.stop)
        server.receive()
        yield _Scenery(stage, folder, server, traffic, router)


def _sum_up(scenery: _Scenery, ended: Sequence[Ended], folder: Path) -> None:
    stage, who, count = scenery.stage, "", 0
    for one in ended:
        stage.tell(render_end(one, stage.screen))
    for one in ended:
        files = files_of(scenery.server.receipts(one.rollout_id))
        who, some = verify_all(files, folder / "receipts" / one.act.candidate)
        count += some
    weights = sum(len(one.applied) for one in ended)
    lines = (
        f"{count} receipts, one for each decision, verified with {who}.",
        f"{weights} weights, each carried to {scenery.router.name} by a signed webhook and read back.",
        f"{scenery.traffic.requests:,} requests in {scenery.elapsed:.0f} s.",
    )
    for line in lines:
        stage.tell(render_lines("    ", line, stage.screen))
