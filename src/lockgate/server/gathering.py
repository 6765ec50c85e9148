# SPDX-License-Identifier: Apache-2.0
"""Batches of callers who call at once come in; each goes out when the store has it, several in one transaction.

Whoever finds nobody at work keeps their own batch and those that wait; who comes meanwhile waits for the next turn.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field

from lockgate.core.batch import Ingested, RunBatch
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.ports.house import House
from lockgate.ports.reading import RunBatches

# Of one transaction: nobody else writes meanwhile.
MAX_BATCHES, MAX_RUNS, MAX_BYTES = 16, 20_000, 8 << 20
# Bytes of about fourteen thousand runs.
LARGE = 4 << 20


@dataclass(slots=True, eq=False)
class _Waiting:
    """A batch; `turn` is set when it has come to something, or when its caller is to keep it and others."""

    batch: RunBatch
    turn: threading.Event = field(default_factory=threading.Event)
    came: Ingested | BaseException | None = None


class Gathering:
    """The batches that wait, by organisation, in the order in which they came; the first of them is being kept."""

    def __init__(self) -> None:
        self._lock, self._decoding = threading.Lock(), threading.Lock()
        self._waiting: dict[str, deque[_Waiting]] = {}

    def decode(self, batches: RunBatches, body: bytes, app: str | None) -> RunBatch:
        """Decode a body; of those that are not large one at a time, so that a large one keeps nobody waiting.

        Two that take turns at a processor push each other's values out of its cache.
        """
        with self._decoding if len(body) <= LARGE else nullcontext():
            return batches.decode(body, app)

    def take(self, batch: RunBatch, house: House) -> Ingested:
        """Keep a batch as `ingest` does, together with others that wait."""
        mine = _Waiting(batch)
        with self._lock:
            queue = self._waiting.setdefault(house.org, deque())
            queue.append(mine)
            is_first = len(queue) == 1
        if not is_first:
            mine.turn.wait()
        if mine.came is None:
            self._keep(queue, house)
        assert mine.came is not None
        if isinstance(mine.came, BaseException):
            raise mine.came
        return mine.came

    def _keep(self, queue: deque[_Waiting], house: House) -> None:
        """Keep the first batches that wait, of which the first is the caller's own."""
        with self._lock:
            some = _first_of(queue)
        try:
            found: list[Ingested | BaseException] = [*ingest_together([each.batch for each in some], house)]
        except BaseException as error:  # noqa: BLE001 -- each of them is told, and none waits for ever
            found = [error] * len(some)
        for each, came in zip(some, found, strict=True):
            each.came = came
        with self._lock:
            for _ in some:
                queue.popleft()
            if queue:
                queue[0].turn.set()
            else:
                del self._waiting[house.org]
        for each in some:
            each.turn.set()


def _first_of(queue: deque[_Waiting]) -> list[_Waiting]:
    """Return the first of a queue, and those after it that go with it."""
    found: list[_Waiting] = []
    runs = size = 0
    for each in queue:
        runs, size = runs + each.batch.columns.runs, size + len(each.batch.body)
        if found and (len(found) >= MAX_BATCHES or runs > MAX_RUNS or size > MAX_BYTES):
            break
        found.append(each)
    return found
