# SPDX-License-Identifier: Apache-2.0
"""Threads of one process that want to write a file come in; each goes out when its turn is, in the order they came.

SQLite lets who waits for it sleep and look again: whoever writes one batch after another would never be met asleep, and
a tick or a rollback would wait for as long as batches come.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.errors import HeldError


class Turns:
    """Who writes, and who waits for it; in a child of a fork nobody does."""

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._is_taken = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and pass it on when the block ends."""
        if self._process != os.getpid():
            self._begin()
        self._take()
        try:
            yield
        finally:
            self._pass_on()

    def _take(self) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(self._seconds):
            return
        with self._lock:
            if mine not in self._waiting:
                # It was passed on just now.
                return
            self._waiting.remove(mine)
        raise HeldError(
            f"{self._path} is held by another process, or by another call of this one",
            advice="Try again; many write at once.",
        )

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False
