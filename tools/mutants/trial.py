# SPDX-License-Identifier: Apache-2.0
"""Tests that pytest has collected come in, and mutants; the first test that notices each mutant goes out, or none.

Each mutant lives in a process of its own, a copy of this one that has loaded everything and has run nothing yet.
What loops for ever ends by the processor time that its tests need without a fault, many times over.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tools.mutants.mutant import Mutant
from tools.mutants.swapping import Functions, forget_answers, functions_of, swap

# A test may take this many times the processor time that it took without a fault, and these seconds for a slow start.
PATIENCE, GRACE = 4.0, 0.5
WAITING = 60
MEMORY = 8 << 30
SURVIVED, KILLED, ENDED, UNTESTED, UNFIT = "survived", "killed", "ended", "untested", "unfit"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant, and which test noticed it; `ended`: it ran on, or took its process with it."""

    mutant: Mutant
    result: str
    by: str = ""
    seconds: float = 0.0

    @property
    def has_survived(self) -> bool:
        """Say whether no test noticed it."""
        return self.result in (SURVIVED, UNTESTED)


@dataclass(slots=True)
class _Running:
    mutant: Mutant
    end: int
    began: float


@dataclass(slots=True)
class Trial:
    """A plugin of pytest that puts mutants on trial by the tests which are declared for their modules."""

    root: Path
    mutants: Sequence[Mutant]
    declared: dict[str, tuple[str, ...]]
    jobs: int
    say: Callable[[Outcome], None]
    outcomes: list[Outcome] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    called: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Let each property draw the same examples for every mutant, and stop at the first that fails."""
        settings.register_profile("mutants", settings(), derandomize=True, phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every test once without a fault, and then against each mutant those that meet its function."""
        if session.testsfailed:
            raise session.Failed("tests cannot be collected")
        self.files = {str(self.root / each.path) for each in self.mutants}
        items = {each.nodeid: each for each in session.items}
        with tempfile.TemporaryDirectory(prefix="lockgate-mutants-") as folder:
            functions = functions_of(self.files)
            forget_answers()
            gc.freeze()
            self._learn(list(items.values()), Path(folder))
            if not self.failed:
                self._judge(items, functions, Path(folder))
        return True

    def _learn(self, items: list[pytest.Item], folder: Path) -> None:
        """Note how long each test takes and which functions it meets; one that fails without a fault ends it all."""
        paths = sorted({each.nodeid.partition("::")[0] for each in items})
        ends = []
        for number in range(self.jobs):
            part = [each for each in items if each.nodeid.partition("::")[0] in paths[number :: self.jobs]]
            ends.append(_forked(partial(self._observed, part), folder / f"learn-{number}")[1])
        for end in ends:
            with os.fdopen(end, encoding="utf-8") as said:
                for line in said:
                    name, seconds, called, is_failed = json.loads(line)
                    self.seconds[name] = seconds
                    self.called[name] = {(file, function) for file, function in called}
                    self.failed += [name] if is_failed else []
        for _ in ends:
            os.wait()
        self.failed += sorted({each.nodeid for each in items} - self.seconds.keys())

    def _observed(self, items: list[pytest.Item]) -> Iterator[str]:
        for item, following in _with_next(items):
            called: set[tuple[str, str]] = set()
            began = time.process_time()
            tracing = partial(self._note, called)
            threading.settrace(tracing)
            sys.settrace(tracing)
            is_failed = _is_failed(item, following)
            sys.settrace(None)
            yield json.dumps([item.nodeid, time.process_time() - began, sorted(called), is_failed])

    def _note(self, called: set[tuple[str, str]], frame: FrameType, *_: object) -> None:
        code = frame.f_code
        if code.co_filename in self.files:
            called.add((code.co_filename, code.co_qualname.partition(".<locals>")[0]))

    def _judge(self, items: dict[str, pytest.Item], functions: Functions, folder: Path) -> None:
        running: dict[int, _Running] = {}
        for number, mutant in enumerate(self.mutants):
            tests = [items[name] for name in self._tests(mutant, items)]
            if not tests:
                self._end(Outcome(mutant, UNTESTED))
                continue
            if len(running) == self.jobs:
                self._reap(running)
            work = _Work(mutant, tests, functions, self.root, self.seconds)
            pid, end = _forked(work.said, folder / str(number))
            running[pid] = _Running(mutant, end, time.monotonic())
        while running:
            self._reap(running)

    def _tests(self, mutant: Mutant, items: Iterable[str]) -> list[str]:
        """Return the tests that meet a mutant's function, a file after the other, the cheapest first."""
        place = (str(self.root / mutant.path), mutant.function)
        met = [
            name
            for name in items
            if name.startswith(self.declared[mutant.path]) and (not mutant.function or place in self.called[name])
        ]
        cost: dict[str, float] = {}
        for name in met:
            file = name.partition("::")[0]
            cost[file] = cost.get(file, 0.0) + self.seconds[name]
        return sorted(met, key=lambda name: (cost[name.partition("::")[0]], name.partition("::")[0]))

    def _reap(self, running: dict[int, _Running]) -> None:
        pid, status = os.wait()
        done = running.pop(pid)
        with os.fdopen(done.end, encoding="utf-8") as said:
            words = said.read().strip()
        result, _, by = words.partition(" ") if status == 0 else (ENDED, "", f"status {status}")
        self._end(Outcome(done.mutant, result, by, time.monotonic() - done.began))

    def _end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.say(outcome)


@dataclass(frozen=True, slots=True)
class _Work:
    mutant: Mutant
    tests: list[pytest.Item]
    functions: Functions
    root: Path
    seconds: Mapping[str, float]

    def said(self) -> Iterator[str]:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        try:
            if not swap(self.mutant, self.functions, self.root):
                yield UNFIT
                return
        except Exception:  # noqa: BLE001 -- a module that cannot be loaded is noticed by all who load it
            yield f"{KILLED} loading"
            return
        for item, following in _with_next(self.tests):
            bound = PATIENCE * self.seconds[item.nodeid] + GRACE
            signal.setitimer(signal.ITIMER_PROF, bound)
            # What waits for ever takes no processor time.
            signal.alarm(WAITING + 10 * int(bound))
            if _is_failed(item, following):
                yield f"{KILLED} {item.nodeid}"
                return
        yield SURVIVED


def _is_failed(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(each.failed for each in runtestprotocol(item, log=False, nextitem=following))


def _with_next(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _forked(said: Callable[[], Iterator[str]], folder: Path) -> tuple[int, int]:
    """Return a process that says lines, and where they can be read; what its tests print is lost."""
    reading, writing = os.pipe()
    folder.mkdir()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        with os.fdopen(writing, "w", encoding="utf-8") as out:
            for line in said():
                out.write(f"{line}\n")
                out.flush()
        code = 0
    finally:
        os._exit(code)
