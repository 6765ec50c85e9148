# SPDX-License-Identifier: Apache-2.0
"""A store comes in; in the background turns of the loop are taken and routers are told, until the server ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import count
from types import TracebackType
from typing import Self

from lockgate.errors import HeldError, LaterStoreError, LeftError, LockgateError, UnreachableError, UnsoundError
from lockgate.operations.tick_all import tick_all
from lockgate.operations.webhooks.dispatch import Dispatch
from lockgate.ports.actuator import Actuators
from lockgate.ports.house import House
from lockgate.ports.news import News
from lockgate.server.complaints import OVER_S, Complaints
from lockgate.server.meter import DEAF, Meter

# Another process on the same store may have put something into the outbox.
GLANCE_S = 1.0
# Who listens looks so often whether the server ends.
LISTEN_S = 1.0
# What is being delivered or decided is finished, and nobody waits longer for it.
PATIENCE_S = 10.0
STORE_FAULTS = (HeldError, LaterStoreError, LeftError, UnreachableError, UnsoundError)


class Loop:
    """Threads: one delivers what is due, one takes a turn of every active rollout every so many seconds, one listens.

    `tell` hears what went wrong; the same is said once until something else is. `news` are those of other processes;
    without, what they commit is found by a glance.
    """

    def __init__(
        self,
        house: House,
        actuators: Actuators,
        tick_every_s: float | None,
        tell: Callable[[str], None],
        news: News | None = None,
        meter: Meter = DEAF,
    ) -> None:
        self._house, self._tick_every_s = house, tick_every_s
        self._dispatch = Dispatch(actuators, self.wake, lambda error: self._explain("delivery", error))
        self._is_over = threading.Event()
        self._is_due = threading.Event()
        # A turn that cannot be taken is heard of once in an interval.
        self._complaints = Complaints(tell, over_s=max(OVER_S, 2.5 * (tick_every_s or 0.0)))
        self._rounds = count()
        self._meter = meter
        self._threads = [threading.Thread(target=self._deliver, name="deliver", daemon=True)]
        if tick_every_s is not None:
            self._threads.append(threading.Thread(target=self._tick, name="tick", daemon=True))
        if news is not None:
            self._threads.append(threading.Thread(target=self._listen, args=(news,), name="news", daemon=True))

    def wake(self) -> None:
        """Deliver at once what is due."""
        self._is_due.set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._is_due.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._dispatch.settle(PATIENCE_S)

    def _deliver(self) -> None:
        while not self._is_over.is_set():
            self._is_due.wait(GLANCE_S)
            self._is_due.clear()
            self._try("delivery", lambda: self._of_each("delivery", self._dispatch.turn))
            self._complaints.look()

    def _listen(self, news: News) -> None:
        with closing(news):
            while not self._is_over.is_set():
                if news.wait(LISTEN_S):
                    self.wake()

    def _tick(self) -> None:
        while not self._is_over.wait(self._tick_every_s):
            self._try("tick", lambda: self._of_each("tick", self._turn))

    def _of_each(self, what: str, act: Callable[[House], None]) -> None:
        """Do something for each organisation that somebody can call for, whatever becomes of the others."""
        orgs = sorted({self._house.org, *self._house.store.orgs()})
        # Another one is the first each time, so that no name is served before others.
        first = next(self._rounds) % len(orgs)
        for org in (*orgs[first:], *orgs[:first]):
            self._try(what, partial(act, replace(self._house, org=org)))

    def _turn(self, house: House) -> None:
        began = time.perf_counter()
        took = tick_all(house)
        self._meter.turned(took.turns, len(took.problems), time.perf_counter() - began)
        self.wake()
        for problem in took.problems[:1]:
            more = f" and {len(took.problems) - 1:,} more" if len(took.problems) > 1 else ""
            self._hear(f"{problem.rollout_id}{more}: ", problem.error)

    def _try(self, what: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 -- a fault in one turn must not end all that follow
            self._explain(what, error)

    def _explain(self, what: str, error: Exception) -> None:
        # Whoever delivers and whoever ticks meet the same store: what fails there is one thing.
        self._hear("" if isinstance(error, STORE_FAULTS) else f"{what}: ", error)

    def _hear(self, where: str, error: Exception) -> None:
        if isinstance(error, LockgateError):
            self._complaints.hear(f"{where}{error.message}", error.advice)
        else:
            kind = type(error).__name__
            self._complaints.hear(f"{where}this is a fault in Lockgate, please report it: {kind}: {error}")
