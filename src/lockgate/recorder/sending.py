# SPDX-License-Identifier: Apache-2.0
"""A backlog and a sink come in; in the background the runs of the one go to the other, until the backlog is shut."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from time import monotonic, sleep

from lockgate.recorder.backlog import RunBacklog
from lockgate.recorder.line import line_of
from lockgate.recorder.run import Run
from lockgate.recorder.sink import Fate, SendOutcome, Sink

BATCH_BYTES = 1 << 20
# So many runs are encoded before other threads are let run: about a fifth of a millisecond.
SOME = 16
# Lines that one batch may have refused before the rest of it is dropped: a clock that is wrong refuses them all.
MAX_REFUSALS = 32
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 30.0
TELL_EVERY_S = 60.0
LOG = logging.getLogger("lockgate")


class Sending:
    """Sends what is in a backlog, a batch at a time; what is not answered is sent again, the same bytes."""

    def __init__(
        self, backlog: RunBacklog, sink: Sink, own_id: Callable[[int], str], batch: int, interval_s: float
    ) -> None:
        self._backlog, self._sink, self._own_id = backlog, sink, own_id
        self._batch, self._interval_s = batch, interval_s
        self._told_at, self._told = -TELL_EVERY_S, (0, 0)
        self._why = ""
        self._is_hurried = False

    def run(self) -> None:
        """Send until the backlog is shut and empty."""
        while True:
            is_last = self._backlog.is_shut
            if not is_last:
                self._backlog.due.wait(self._interval_s)
                self._backlog.due.clear()
                self._is_hurried = self._backlog.hurry.is_set()
                self._backlog.hurry.clear()
            try:
                while runs := self._backlog.take(self._batch, BATCH_BYTES):
                    self._deliver(self._encoded(runs))
                    # What came meanwhile and is no batch yet waits for more, unless somebody waits for it.
                    if not (is_last or self._is_hurried or self._backlog.holds(self._batch, BATCH_BYTES)):
                        break
            except Exception as error:  # noqa: BLE001 -- a fault in one batch must not end the thread
                self._backlog.give_up(f"of a fault in Lockgate, please report it: {type(error).__name__}")
            self._tell(is_last=is_last)
            if is_last:
                self._sink.close()
                return

    def _encoded(self, runs: Sequence[Run]) -> list[bytes]:
        lines: list[bytes] = []
        for place, run in enumerate(runs, 1):
            try:
                lines.append(line_of(run, self._own_id(run.number)))
            except Exception:  # noqa: BLE001 -- one run that cannot be written must not take others with it
                self._backlog.settle(1, "they cannot be written as JSON")
            if place % SOME == 0:
                sleep(0)
        return lines

    def _deliver(self, lines: list[bytes]) -> None:
        """Send lines; where some are refused, send halves, so that the others arrive."""
        parts, refusals = [lines] if lines else [], 0
        while parts:
            part = parts.pop()
            outcome = self._persist(b"".join(part))
            if outcome.fate is Fate.TAKEN:
                self._backlog.settle(len(part))
                continue
            refusals += 1
            if outcome.fate is Fate.PARTLY and len(part) > 1 and refusals < MAX_REFUSALS:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
                continue
            self._why = outcome.reason
            self._backlog.settle(len(part), outcome.reason)
            self._tell()

    def _persist(self, body: bytes) -> SendOutcome:
        """Send a body until somebody answers."""
        wait_s = FIRST_WAIT_S
        while True:
            outcome = self._sink.send(body)
            if outcome.fate is not Fate.LATER:
                return outcome
            if self._backlog.is_shut:
                return SendOutcome(Fate.REFUSED, f"the recorder was closed, and {outcome.reason}")
            if wait_s > FIRST_WAIT_S:
                # A server that starts anew is nobody's worry.
                self._why = outcome.reason
                self._tell()
            # Those who lost one server at the same moment do not come back to it at the same moment.
            pause_s = max(outcome.wait_s, wait_s * random.uniform(0.5, 1))  # noqa: S311 -- no secret
            if self._backlog.hurry.wait(pause_s):
                self._backlog.hurry.clear()
                self._is_hurried = True
            wait_s = min(2 * wait_s, MAX_WAIT_S)

    def _tell(self, *, is_last: bool = False) -> None:
        """Say what was lost, and why, once in a while."""
        counts = self._backlog.counts()
        now, lost = monotonic(), (counts.lost, sum(counts.left_out.values()))
        is_news = lost != self._told or bool(self._why)
        if not is_news or (now - self._told_at < TELL_EVERY_S and not is_last):
            return
        self._told_at, self._told, why, self._why = now, lost, self._why, ""
        LOG.warning(
            "runs: %d sent, %d waiting, %d lost%s%s%s",
            counts.sent,
            counts.pending,
            counts.lost,
            "".join(f"; {count} because {reason}" for reason, count in counts.dropped.items()),
            "".join(f"; {count} fields left out because {reason}" for reason, count in counts.left_out.items()),
            f"; last: {why}" if why and why not in counts.dropped else "",
        )
