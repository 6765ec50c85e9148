# SPDX-License-Identifier: Apache-2.0
"""A running program and its input come in; how it ended, and the end of what it said, go out.

The program may read nothing, say anything at any length, hand its streams on to others, or never end.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import IO

from lockgate.core.delivery import MAX_OUTPUT

CHUNK = 65_536
# Who took over a stream of the program may hold it open when the program itself has ended.
GLANCE_S = 0.05
# A group that was killed is gone at once, but for what hangs in the kernel.
BURIAL_S = 0.5


@dataclass(frozen=True, slots=True)
class Said:
    """The exit code, negative for a signal, the end of both streams, and whether the time was over."""

    code: int
    out: str
    err: str
    is_late: bool


def converse(process: subprocess.Popen[bytes], given: bytes, timeout_s: float) -> Said:
    """Hand a program its input and listen until it ends; when its time is over its whole group is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    streams = (process.stdin, process.stdout, process.stderr)
    talk = _Talk(process, given)
    try:
        is_late = not talk.hold(time.monotonic() + timeout_s)
    finally:
        if process.poll() is None:
            _kill(process)
        talk.close()
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.close()
    return Said(process.returncode if process.returncode is not None else -signal.SIGKILL, *talk.heard(), is_late)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(BURIAL_S)


class _Talk:
    """Reads and writes whatever is ready, and keeps the end of each stream."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes) -> None:
        self._process = process
        self._left = memoryview(given)
        assert process.stdout is not None
        assert process.stderr is not None
        self._heard: dict[IO[bytes], bytes] = {process.stdout: b"", process.stderr: b""}
        self._ready = selectors.DefaultSelector()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            event = selectors.EVENT_WRITE if stream is process.stdin else selectors.EVENT_READ
            self._ready.register(stream, event, stream)

    def hold(self, deadline: float) -> bool:
        """Talk until the program has ended, and say whether it did in time."""
        while (left := deadline - time.monotonic()) > 0:
            if not self._ready.get_map():
                return self._ends_within(left)
            for key, _ in self._ready.select(min(left, GLANCE_S)):
                self._turn(key.data)
            if self._process.poll() is not None:
                self._drain()
                return True
        return self._process.poll() is not None

    def heard(self) -> tuple[str, str]:
        """Return the end of both streams."""
        out, err = (kept.decode("utf-8", "replace") for kept in self._heard.values())
        return out, err

    def close(self) -> None:
        """Give back what the operating system lent."""
        self._ready.close()

    def _ends_within(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _drain(self) -> None:
        """Read what is there already, at most as much as a pipe holds a few times over."""
        for stream in self._heard:
            for _ in range(16):
                if stream.closed or not self._hear(stream):
                    break

    def _turn(self, stream: IO[bytes]) -> None:
        is_going_on = self._say(stream) if stream is self._process.stdin else self._hear(stream)
        if not is_going_on:
            self._ready.unregister(stream)
            stream.close()

    def _say(self, stream: IO[bytes]) -> bool:
        try:
            self._left = self._left[os.write(stream.fileno(), self._left[:CHUNK]) :]
        except BlockingIOError:
            return True
        except OSError:
            # A program need not read what it is told: its environment says it too.
            return False
        return bool(self._left)

    def _hear(self, stream: IO[bytes]) -> bool:
        try:
            chunk = os.read(stream.fileno(), CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._heard[stream] = (self._heard[stream] + chunk)[-MAX_OUTPUT:]
        return bool(chunk)
