# SPDX-License-Identifier: Apache-2.0
"""Bodies of callers who call at once come in; what each came to goes out when the store has it, several at a time.

Whoever finds nobody at work decodes and keeps their own batch, and those that come until that is decoded; who comes
later waits for the next turn. Threads that worked beside each other would stop each other at each step, and push each
other's values out of the processor's cache.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Generic, TypeVar

from lockgate.core.batch import Ingested, RunBatch
from lockgate.errors import LockgateError
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.operations.intake.run_notes import run_notes
from lockgate.ports.house import House

Told = TypeVar("Told")
# Says of apps why nothing compares their runs, as `run_notes` does.
Notes = Callable[[tuple[str, ...]], tuple[str, ...]]
# Of one transaction: nobody else writes meanwhile.
MAX_BATCHES, MAX_RUNS, MAX_BYTES = 16, 20_000, 8 << 20
# Bytes of about fourteen thousand runs.
LARGE = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBatch(Generic[Told]):
    """A batch as it was sent: of how many lines and bytes, how it is decoded, and how its caller is told what it is."""

    lines: int
    size: int
    decode: Callable[[], RunBatch]
    tell: Callable[[Ingested, Notes], Told]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A batch; `turn` is set when its caller is told what it came to, or is to keep it and others."""

    sent: SentBatch[Any]
    batch: RunBatch | None = None
    turn: threading.Event = field(default_factory=threading.Event)
    is_over: bool = False
    told: Any = None
    fault: BaseException | None = None


class Gathering:
    """The batches that wait, by organisation, in the order in which they came; the first of them is being kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[_Waiting]] = {}

    def take(self, sent: SentBatch[Told], house: House) -> Told:
        """Keep a batch as `ingest` does, together with others that wait, and return what its caller is told."""
        # One that is large is decoded beside the others, so that it keeps nobody waiting.
        mine = _Waiting(sent, sent.decode() if sent.size > LARGE else None)
        with self._lock:
            queue = self._waiting.setdefault(house.org, deque())
            queue.append(mine)
            is_first = len(queue) == 1
        if not is_first:
            mine.turn.wait()
        if not mine.is_over:
            self._keep(queue, house)
        if mine.fault is not None:
            raise mine.fault
        told: Told = mine.told
        return told

    def _keep(self, queue: deque[_Waiting], house: House) -> None:
        """Keep the first batches that wait, of which the first is the caller's own."""
        some: list[_Waiting] = []
        try:
            while (following := self._following(queue, some)) is not None:
                some.append(following)
                _decode(following)
            _keep([each for each in some if each.fault is None], house)
        except BaseException as error:  # noqa: BLE001 -- each of them is told, and none waits for ever
            for each in some:
                each.fault = each.fault or error
        for each in some:
            each.is_over = True
        with self._lock:
            for _ in some:
                queue.popleft()
            if queue:
                queue[0].turn.set()
            else:
                del self._waiting[house.org]
        for each in some:
            each.turn.set()

    def _following(self, queue: deque[_Waiting], some: Sequence[_Waiting]) -> _Waiting | None:
        """Return who waits behind the first some of a queue, if that one goes with them."""
        with self._lock:
            following = queue[len(some)] if len(some) < len(queue) else None
        if not some or following is None:
            return following
        sent = [each.sent for each in (*some, following)]
        lines, size = sum(each.lines for each in sent), sum(each.size for each in sent)
        return following if len(sent) <= MAX_BATCHES and lines <= MAX_RUNS and size <= MAX_BYTES else None


def _decode(waiting: _Waiting) -> None:
    if waiting.batch is None:
        try:
            waiting.batch = waiting.sent.decode()
        except Exception as error:  # noqa: BLE001 -- whose batch it is raises it
            waiting.fault = error


def _keep(some: Sequence[_Waiting], house: House) -> None:
    """Keep batches, and make what each of their callers is told; of apps that several name it is read once."""
    notes = cache(partial(run_notes, house=house))
    found = ingest_together([each.batch for each in some if each.batch is not None], house) if some else []
    for each, came in zip(some, found, strict=True):
        if isinstance(came, LockgateError):
            each.fault = came
            continue
        try:
            each.told = each.sent.tell(came, notes)
        except Exception as error:  # noqa: BLE001 -- whose batch it is raises it
            each.fault = error
