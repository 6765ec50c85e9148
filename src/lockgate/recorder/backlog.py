# SPDX-License-Identifier: Apache-2.0
"""Runs that have ended come in, from any thread; they go out in their order, as many as memory was set aside for.

Where it is full the oldest run goes: it says least about now. All that does not arrive is counted by its reason.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from lockgate.recorder.run import Run

FULL = "the {} took them more slowly than they came"
# Reasons are told apart up to so many.
MAX_REASONS = 64
OTHER = "another reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of runs: `ended` is all of them, of which `pending` are on their way.

    `left_out` are fields of runs that were kept without them. Both are counted by reason as well.
    """

    ended: int
    sent: int
    dropped: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Return how many runs do not arrive."""
        return sum(self.dropped.values())

    @property
    def pending(self) -> int:
        """Return how many runs are neither sent nor lost."""
        return self.ended - self.sent - self.lost


class RunBacklog:
    """The runs of one process that are not sent yet; `start` is called with the first, and `taker` is where they go."""

    def __init__(
        self, most: int, most_bytes: int, batch: int, start: Callable[[], None], taker: str = "server"
    ) -> None:
        self._most, self._most_bytes, self._batch, self._start = most, most_bytes, batch, start
        self._full = FULL.format(taker)
        # A signal's handler, or a destructor, may record a run in the midst of recording another.
        self._lock = threading.RLock()
        self._runs: deque[Run] = deque()
        self._bytes = self._ended = self._sent = self._lost = 0
        self._dropped: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._settled = threading.Condition()
        self._in_hand = 0
        self._is_started = False
        self.shut_because: str | None = None
        # The first is set by each batch that is full, the second by whoever waits.
        self.due, self.hurry = threading.Event(), threading.Event()

    def put(self, run: Run) -> None:
        """Take a run."""
        if self.shut_because is not None:
            self.lose(self.shut_because)
            return
        with self._lock:
            self._ended += 1
            run.number = self._ended
            self._runs.append(run)
            self._bytes += run.size
            waiting = len(self._runs)
            if waiting > self._most or self._bytes > self._most_bytes:
                self._make_room()
            is_first, self._is_started = not self._is_started, True
        if is_first:
            self._start()
        if waiting % self._batch == 0:
            self.due.set()

    def _make_room(self) -> None:
        while self._runs and (len(self._runs) > self._most or self._bytes > self._most_bytes):
            self._bytes -= self._runs.popleft().size
            self._count(self._full, 1)

    def lose(self, reason: str) -> None:
        """Count a run that is not kept, and why."""
        with self._lock:
            self._ended += 1
            self._count(reason, 1)

    def leave_out(self, reason: str) -> None:
        """Count a field that is not kept, and why."""
        with self._lock:
            self._left_out[_known(reason, self._left_out)] += 1

    def take(self, most: int, most_bytes: int) -> list[Run]:
        """Hand out the oldest runs."""
        found: list[Run] = []
        size = 0
        with self._lock:
            while self._runs and len(found) < most and size < most_bytes:
                run = self._runs.popleft()
                size += run.size
                found.append(run)
            # What was interrupted between two counts is forgotten here.
            self._bytes = self._bytes - size if self._runs else 0
            self._in_hand = len(found)
        return found

    def holds(self, runs: int, size: int) -> bool:
        """Say whether as many runs wait, or as many bytes of them, as are handed out at once."""
        return len(self._runs) >= runs or self._bytes >= size

    def settle(self, runs: int, reason: str | None = None) -> None:
        """Count runs that were handed out: sent, or dropped for a reason."""
        with self._settled, self._lock:
            self._in_hand -= runs
            if reason is None:
                self._sent += runs
            else:
                self._count(reason, runs)
            self._settled.notify_all()

    def give_up(self, reason: str) -> None:
        """Drop what was handed out last and is not settled."""
        self.settle(self._in_hand, reason)

    def _count(self, reason: str, runs: int) -> None:
        self._lost += runs
        self._dropped[_known(reason, self._dropped)] += runs

    def wait(self, seconds: float) -> bool:
        """Wait until every run that has ended by now is sent or lost; say whether that was so in time."""
        goal = self._ended
        self._wake()
        with self._settled:
            # The oldest go first, so that so many are those.
            return self._settled.wait_for(lambda: self._sent + self._lost >= goal, seconds)

    def shut(self, because: str) -> None:
        """Take no further run; each that comes is lost for this reason."""
        self.shut_because = because
        self._wake()

    def _wake(self) -> None:
        self.due.set()
        self.hurry.set()

    @property
    def is_shut(self) -> bool:
        """Say whether no further run is taken."""
        return self.shut_because is not None

    def counts(self) -> Counts:
        """Return what became of all runs."""
        with self._lock:
            return Counts(
                ended=self._ended, sent=self._sent, dropped=dict(self._dropped), left_out=dict(self._left_out)
            )


def _known(reason: str, counted: Counter[str]) -> str:
    return reason if reason in counted or len(counted) < MAX_REASONS else OTHER
