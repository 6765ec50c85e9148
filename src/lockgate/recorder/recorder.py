# SPDX-License-Identifier: Apache-2.0
"""An application's blocks of code come in; the runs that they are go to a server, or to a file, in the background.

    with lockgate.record("claims-agent") as run:
        run.score("groundedness", 0.93)

Only the standard library is loaded. Whoever makes a `Recorder` is told at once what is wrong with its settings;
`record` never raises: what it cannot record is counted, and told on the logger `lockgate`.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from typing import TypedDict, Unpack
from weakref import WeakSet

from lockgate.errors import UsageError
from lockgate.recorder.backlog import Counts, RunBacklog
from lockgate.recorder.release import release_of_process
from lockgate.recorder.run import NO_RELEASE, Run
from lockgate.recorder.sending import LOG, Sending
from lockgate.recorder.sink import FileSink, ServerSink, Sink

URL, API_KEY, FILE = "LOCKGATE_URL", "LOCKGATE_API_KEY", "LOCKGATE_RUNS_FILE"
NOWHERE = "neither LOCKGATE_URL nor LOCKGATE_RUNS_FILE says where they go"
CLOSED = "they ended after the recorder was closed"


class Given(TypedDict, total=False):
    """What may be said of a run when it begins."""

    run_id: str
    probe_id: str | int
    unit_id: str | int
    environment: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is sent at once, how late, how much waits in memory, and how long the end of the process waits."""

    batch_runs: int = 1_000
    interval_s: float = 1.0
    max_runs: int = 20_000
    max_bytes: int = 32 << 20
    exit_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what is not more than nothing."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise UsageError(f"{field.name} is {value!r}", advice="It is a number above 0.")


class Recorder:
    """Records the runs of a process; `release` is that of runs which name none, else the environment says it."""

    def __init__(
        self,
        *,
        url: str | None = None,
        api_key: str | None = None,
        file: str | os.PathLike[str] | None = None,
        release: str | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        if url is None and file is None:
            url, file = os.environ.get(URL), os.environ.get(FILE)
        self._sink = _sink_of(url, os.environ.get(API_KEY) if api_key is None else api_key, file)
        if self._sink is None:
            raise UsageError(f"runs go nowhere: {NOWHERE}", advice="Set one of them, or name url= or file=.")
        self._begin(release, bounds or Bounds(), "file" if file else "server")
        if self.release() is None:
            raise UsageError(NO_RELEASE, advice="Or name release=.")

    def _begin(self, release: str | None, bounds: Bounds, taker: str) -> None:
        self._release, self._bounds, self._taker = release, bounds, taker
        self._itself: Callable[[], Recorder] = lambda: self
        self._thread: threading.Thread | None = None
        self.backlog = self._new_backlog()
        _LIVE.add(self)

    def renew(self) -> None:
        """Begin as a process does, after a fork: with nothing recorded, and ids that no other process makes."""
        because = self.backlog.shut_because
        self.backlog, self._thread = self._new_backlog(), None
        if because is not None:
            self.backlog.shut(because)

    def _new_backlog(self) -> RunBacklog:
        bounds = self._bounds
        self._seed = os.urandom(9).hex()
        return RunBacklog(bounds.max_runs, bounds.max_bytes, bounds.batch_runs, self._start, self._taker)

    def record(self, app: str, release: str | None = None, **given: Unpack[Given]) -> Run:
        """Return a run of an app: a context manager, also of `async with`, and a decorator of functions."""
        return Run(app, release, given or None, self._itself)

    def release(self) -> str | None:
        """Return the release of runs that begin now."""
        return self._release or release_of_process()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until the runs that have ended are sent or lost; say whether that was so in time."""
        return self.backlog.wait(timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Do that, and record nothing any more."""
        is_done = self.flush(timeout)
        self.backlog.shut(CLOSED)
        if is_done and self._thread is not None:
            self._thread.join(timeout)
        counts = self.backlog.counts()
        if counts.pending:
            LOG.warning("runs: %d were not sent before the end", counts.pending)
        return is_done

    def end(self) -> None:
        """Close as the process ends."""
        self.close(self._bounds.exit_s)

    def counts(self) -> Counts:
        """Return what became of the runs of this process."""
        return self.backlog.counts()

    def _own_id(self, number: int) -> str:
        seed = self._seed
        return f"{seed[:8]}-{seed[8:12]}-4{seed[12:15]}-8{seed[15:18]}-{number:012x}"

    def _start(self) -> None:
        """Start to send; it begins with the first run, so that a server that forks does so before."""
        assert self._sink is not None
        bounds = self._bounds
        sending = Sending(self.backlog, self._sink(), self._own_id, bounds.batch_runs, bounds.interval_s)
        self._thread = threading.Thread(target=sending.run, name="lockgate-recorder", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            # The process is about to end, and starts no thread any more.
            self.backlog.shut("the process ended")
            sending.run()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            # A worker of a forkserver imports the main module before multiprocessing begins its process anew.
            util.register_after_fork(self, _end_with_process)
            _end_with_process()


class _OfEnvironment(Recorder):
    """The recorder that the environment asks for; where it asks for none, or wrongly, its runs are counted as lost."""

    def __init__(self) -> None:
        because = NOWHERE
        try:
            self._sink = _sink_of(os.environ.get(URL), os.environ.get(API_KEY), os.environ.get(FILE))
        except UsageError as error:
            self._sink, because = None, error.message
        self._begin(None, Bounds(), "file" if os.environ.get(FILE) else "server")
        if self._sink is None:
            self.backlog.shut(because)
            LOG.warning("runs are not recorded: %s", because)
        elif self.release() is None:
            LOG.warning("runs are not recorded: %s", NO_RELEASE)


def record(app: str, release: str | None = None, **given: Unpack[Given]) -> Run:
    """Return a run of an app by the recorder that the environment asks for: a context manager and a decorator."""
    return Run(app, release, given or None, _default)


def flush(timeout: float = 5.0) -> bool:
    """Wait until the runs of `record` that have ended are sent or lost; say whether that was so in time."""
    return _default().flush(timeout)


def counts() -> Counts:
    """Return what became of the runs of `record` in this process."""
    return _default().counts()


def _sink_of(url: str | None, api_key: str | None, file: str | os.PathLike[str] | None) -> Callable[[], Sink] | None:
    """Return what makes a sink; each process makes its own."""
    if file:
        return partial(FileSink, file)
    if not url:
        return None
    ServerSink(url, api_key)
    return partial(ServerSink, url, api_key)


class _Default:
    """The recorder of this process, made when it is first asked for, and anew once the environment names a sink."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.recorder: Recorder | None = None
        self.asked: tuple[str | None, ...] = ()
        # The process of multiprocessing at whose end all recorders end.
        self.ends_in: int | None = None


_LIVE: WeakSet[Recorder] = WeakSet()
_own = _Default()


def _default() -> Recorder:
    found = _own.recorder
    if found is not None and not found.backlog.is_shut:
        return found
    asked = tuple(map(os.environ.get, (URL, FILE, API_KEY)))
    with _own.lock:
        if _own.recorder is None or (_own.asked != asked and _own.recorder.backlog.is_shut):
            _own.recorder, _own.asked = _OfEnvironment(), asked
        return _own.recorder


def _end_all() -> None:
    for recorder in list(_LIVE):
        recorder.end()


def _end_with_process(_: Recorder | None = None) -> None:
    """Let recorders end with a process of multiprocessing, which ends without atexit; once in each."""
    if _own.ends_in != os.getpid() and sys.modules["multiprocessing"].parent_process() is not None:
        _own.ends_in = os.getpid()
        sys.modules["multiprocessing.util"].Finalize(None, _end_all, exitpriority=0)


def _after_fork() -> None:
    _own.lock = threading.RLock()
    for recorder in list(_LIVE):
        recorder.renew()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
