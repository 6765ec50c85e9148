# SPDX-License-Identifier: Apache-2.0
"""Numbers of runs come in; stores that hold them, put there by the real ingest, and rollouts over them go out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from lockgate.core.batch import Group, RunBatch
from lockgate.core.instant import SECOND
from lockgate.core.stats.micro import from_float
from lockgate.core.summary import ERROR, OK, Columns
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.ports.house import House
from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import WorldClock
from lockgate.wiring import sqlite_store

GATES: Sequence[object] = (
    "error_rate",
    "latency_ms:p95",
    "ttft_ms:p99",
    {"metric": "cost", "tolerance": "5%"},
    "scores.quality",
)
BASELINE, CANDIDATE = "v1", "v2"
CANDIDATE_SHARE = 0.05
BUCKET_S = 60
# At most so many runs are taken in one batch.
BATCH = 100_000


@dataclass(slots=True)
class Line:
    """A house on a SQLite store in a folder, whose traffic is drawn from one law for both releases."""

    folder: Path
    clock: WorldClock = field(default_factory=WorldClock)
    draw: Generator = field(default_factory=lambda: np.random.default_rng(1))
    batches: int = 0
    house: House = field(init=False)

    def __post_init__(self) -> None:
        """Open the store."""
        self.house = House(sqlite_store(self.folder), self.clock, seeded_signers(1))

    def start(self, app: str, mode: str) -> str:
        """Start a rollout of five gates that stays at its first step, and return its id."""
        steps = [{"weight": 5, "min_hold": "300d"}, {"weight": 100}]
        policy = {"mode": mode, "gates": list(GATES), "steps": steps}
        order = Order(app=app, baseline=BASELINE, candidate=CANDIDATE, policy=policy)
        return create(order, self.house).rollout.id

    def serve(self, apps: Sequence[str], runs: int) -> RunBatch:
        """Ingest one batch of so many runs of each app."""
        made = self.batch(apps, runs)
        ingest(made, self.house)
        return made

    def batch(self, apps: Sequence[str], runs: int) -> RunBatch:
        """Return so many runs of each app, of both releases, all of which begin now."""
        self.batches += 1
        candidate = max(1, round(runs * CANDIDATE_SHARE))
        groups = tuple(Group(app, release, ()) for app in apps for release in (BASELINE, CANDIDATE))
        group = np.repeat(np.arange(len(groups)), [runs - candidate, candidate] * len(apps))
        total = int(group.size)
        return RunBatch(
            body=f"batch {self.batches}\n".encode("ascii"),
            columns=self._columns(total),
            groups=groups,
            group=group,
            started_at=np.full(total, self.clock.now()),
            ids=[None] * total,
        )

    def _columns(self, total: int) -> Columns:
        values: Mapping[str, NDArray[np.float64]] = {
            "latency_ms": 200.0 * self.draw.lognormal(0.0, 0.6, total),
            "ttft_ms": 40.0 * self.draw.lognormal(0.0, 0.4, total),
            "cost": 0.01 * self.draw.lognormal(0.0, 0.3, total),
            "scores.quality": self.draw.beta(8.0, 2.0, total),
        }
        statuses = np.where(self.draw.random(total) < 0.05, ERROR, OK).astype(np.int8)
        return Columns(runs=total, statuses=statuses, values={name: from_float(each) for name, each in values.items()})

    def fill(self, app: str, runs: int, buckets: int) -> Iterator[RunBatch]:
        """Ingest so many runs into so many buckets, and yield each batch."""
        each = runs // buckets
        for _ in range(buckets):
            for start in range(0, each, BATCH):
                yield self.serve([app], min(BATCH, each - start))
            self.clock.advance(BUCKET_S)

    def seal(self) -> None:
        """Let the open buckets' time be over."""
        self.clock.advance(BUCKET_S + 1 / SECOND)


@contextmanager
def line() -> Iterator[Line]:
    """Hand out a line in a folder that ends with the block."""
    with TemporaryDirectory(prefix="lockgate-bench-") as folder:
        yield Line(Path(folder))
