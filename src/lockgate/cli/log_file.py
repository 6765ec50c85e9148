# SPDX-License-Identifier: Apache-2.0
"""The name of a file comes in; the exported log in it, to be added to from where its last whole portion ends, goes out.

What stands behind that portion is what a process that was killed had begun to write, and is cut off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lockgate.cli import output
from lockgate.core.export_line import MAX_LINE, End, read_line
from lockgate.errors import DataError, TryAgainError

_END, _BLOCK = b'{"since":', 1 << 20
# A portion is smaller, however its lines are written.
MAX_PORTION = 1 << 28


@dataclass(slots=True)
class LogFile:
    """An open file, and the size of the log at which it ends."""

    file: BinaryIO
    size: int

    def add(self, lines: bytes, size: int) -> None:
        """Write a portion, durably."""
        self.file.write(lines)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.size = size


@contextmanager
def opened(path: Path) -> Iterator[LogFile]:
    """Open a file to be added to by this process alone; one that is not there is made."""
    try:
        with path.open("a+b") as file:
            _take(file, path)
            size, place = _ending(file, path)
            file.truncate(place)
            yield LogFile(file, size)
    except OSError as error:
        raise output.refusal(path, error) from error


def _take(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TryAgainError(f"another process adds to {path}", advice="Wait for it.") from error


def _ending(file: BinaryIO, path: Path) -> tuple[int, int]:
    """Return the size at which the last whole portion ends, and the place of the file behind it."""
    place = file.seek(0, os.SEEK_END)
    data = b""
    while place and len(data) <= MAX_PORTION:
        taken = min(_BLOCK, place)
        place -= taken
        file.seek(place)
        data = file.read(taken) + data
        found = _last_end(data, is_whole=place == 0)
        if found is not None:
            begin, behind = found
            return _size(data[begin:behind], path), place + behind
    if data:
        raise _no_log(path)
    return 0, 0


def _last_end(data: bytes, *, is_whole: bool) -> tuple[int, int] | None:
    """Return where the last whole line that ends a portion begins and ends; None where there is none."""
    limit = len(data)
    while (begin := data.rfind(_END, 0, limit)) >= 0:
        limit = begin
        behind = data.find(b"\n", begin) + 1
        if behind and (data[begin - 1 : begin] == b"\n" if begin else is_whole):
            return begin, behind
    return None


def _size(line: bytes, path: Path) -> int:
    end = read_line(line, 1) if len(line) <= MAX_LINE else None
    if not isinstance(end, End):
        raise _no_log(path)
    return end.size


def _no_log(path: Path) -> DataError:
    return DataError(
        f"{path} is not an exported log, or its first portion was never finished",
        advice="Name a file that `lockgate log export` wrote, or one that is not there.",
    )
