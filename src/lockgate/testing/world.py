# SPDX-License-Identifier: Apache-2.0
"""A store and a seed come in; a small world goes out in which time passes, traffic flows and rollouts are ticked.

Everything in it follows from the seed: the same calls in the same order give the same runs and the same receipts.
Operations are the real ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lockgate.core.app import DEFAULT_ORG
from lockgate.core.batch import Group, RunBatch
from lockgate.core.instant import SECOND, Instant
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.policy.policy import Mode
from lockgate.core.stats.micro import from_float
from lockgate.core.summary import ABSENT, ERROR, OK, Columns, Integers
from lockgate.operations.asking.queries import list_rollouts
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import Turn, tick
from lockgate.ports.house import House
from lockgate.ports.store import Store
from lockgate.testing.signers import seeded_signers

BEGINNING: Instant = 1_790_000_000_000
MINUTE = 60


class WorldClock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, now: Instant = BEGINNING) -> None:
        self._now = now

    def now(self) -> Instant:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass; with a negative number the clock is set back."""
        self._now += round(seconds * SECOND)


@dataclass(frozen=True, slots=True)
class Law:
    """How a release behaves: how often it fails, and its median latency; None where its runs carry none."""

    error_rate: float = 0.01
    latency_ms: float | None = 200.0


class World:
    """One organisation with a clock, traffic and rollouts."""

    def __init__(self, store: Store, seed: int = 0, org: str = DEFAULT_ORG) -> None:
        self.clock = WorldClock()
        self.house = House(store, self.clock, seeded_signers(seed), org)
        self._draw = np.random.default_rng(seed)
        self._seed = seed
        self._batches = 0

    def batch(
        self,
        app: str,
        runs: Mapping[str, int],
        laws: Mapping[str, Law],
        labels: Slice = WHOLE,
        *,
        has_ids: bool = False,
        probes: int = 0,
    ) -> RunBatch:
        """Return runs of some releases, all of which begin now.

        With `has_ids` each has an id of its own; the first of each release answer one of so many `probes` each.
        """
        self._batches += 1
        releases = [release for release, count in runs.items() if count]
        counts = [runs[release] for release in releases]
        group = np.repeat(np.arange(len(releases)), counts)
        rates = np.array([laws[release].error_rate for release in releases])[group]
        total = int(group.size)
        statuses = np.where(self._draw.random(total) < rates, ERROR, OK).astype(np.int8)
        return RunBatch(
            body=f"world {self._seed}, batch {self._batches}\n".encode("ascii"),
            columns=Columns(runs=total, statuses=statuses, values=self._latencies(laws, releases, group)),
            groups=tuple(Group(app, release, labels) for release in releases),
            group=group,
            started_at=np.full(total, self.clock.now()),
            ids=[f"{self._batches}-{place}" for place in range(total)] if has_ids else [None] * total,
            probes=self._probes(counts, probes) if probes else (),
        )

    def _probes(self, counts: Sequence[int], among: int) -> list[str | None]:
        """Return what the runs of releases answered: each release up to half of the probes, other ones each time."""
        found: list[str | None] = []
        for count in counts:
            drawn = self._draw.permutation(among)[: min(count, among // 2)]
            found += [f"p{number}" for number in drawn.tolist()] + [None] * (count - len(drawn))
        return found

    def _latencies(
        self, laws: Mapping[str, Law], releases: Sequence[str], group: NDArray[np.intp]
    ) -> dict[str, Integers]:
        medians = [laws[release].latency_ms for release in releases]
        if all(median is None for median in medians):
            return {}
        typical = np.array([median or 0.0 for median in medians])[group]
        values = from_float(typical * self._draw.lognormal(0.0, 0.5, group.size))
        is_timed = np.array([median is not None for median in medians])[group]
        return {"latency_ms": np.where(is_timed, values, ABSENT)}

    def serve(self, app: str, runs: int, laws: Mapping[str, Law], champion: str) -> None:
        """Serve some runs, split as the app's canary rollout asks for, and ingest them."""
        share = {champion: runs}
        for rollout in list_rollouts(self.house, app):
            if rollout.mode is Mode.CANARY:
                candidate = round(runs * rollout.exposed_weight / 100)
                share = {rollout.baseline: runs - candidate, rollout.candidate: candidate}
        ingest(self.batch(app, share, laws), self.house)

    def serve_both(self, app: str, runs: Mapping[str, int], laws: Mapping[str, Law], *, minutes: int) -> None:
        """Serve so many runs of each release in some minutes, a batch each minute."""
        for minute in range(minutes):
            each = {
                release: (minute + 1) * count // minutes - minute * count // minutes for release, count in runs.items()
            }
            ingest(self.batch(app, each, laws), self.house)
            self.clock.advance(MINUTE)

    def walk(self, rollout_id: str, laws: Mapping[str, Law], *, runs: int, minutes: int) -> list[Turn]:
        """Let traffic of so many runs a minute flow, tick every minute, and stop at the rollout's end."""
        turns: list[Turn] = []
        for _ in range(minutes):
            with self.house.store.reading(self.house.org) as seen:
                trial = seen.trial(rollout_id)
            assert trial is not None
            if trial.rollout.is_terminal:
                break
            self.serve(trial.rollout.app, runs, laws, trial.rollout.baseline)
            self.clock.advance(MINUTE)
            turns.append(tick(rollout_id, self.house))
        return turns
