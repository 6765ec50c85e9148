# SPDX-License-Identifier: Apache-2.0
"""Paths, globs and `-` come in; the files that they name, ready to be opened, go out."""

from __future__ import annotations

import errno
import glob
import gzip
import io
import os
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast

from lockgate.errors import DataError, TryAgainError, UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

STDIN = "-"
STDIN_NAME = "standard input"
GZIP = ".gz"
BLOCK = 1 << 18
# Of what can be read once only, so much is laid by to be read twice.
MAX_LAID_BY = 16 << 30
# Of a file that is sound and then is another.
CHANGED = "Ingest it again when nobody changes it: runs before these may be kept, and count once where they have ids."


@dataclass(frozen=True, slots=True)
class RunFile:
    """One file: its name as it was given, its format by suffix, its size, and whether it can be read twice."""

    name: str
    path: str
    suffix: str
    is_compressed: bool
    size: int | None
    # What changes when somebody writes to the file; None for what is read only once.
    version: tuple[int, int, int, int] | None

    @property
    def can_repeat(self) -> bool:
        """Say whether a second reading gives the same runs."""
        return self.version is not None

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open for reading from the start; what cannot be read raises a DataError."""
        try:
            raw = sys.stdin.buffer if self.path == STDIN else open(self.path, "rb")  # noqa: PTH123, SIM115 -- the name goes to the system as it was given
            # A log that somebody writes to meanwhile is read as far as it was there at first, however often.
            whole = raw if self.size is None else cast("BinaryIO", io.BufferedReader(_Front(raw, self.size), BLOCK))
        except OSError as error:
            raise unreadable(self.name, error) from error
        try:
            opened = cast("BinaryIO", gzip.GzipFile(fileobj=whole)) if self.is_compressed else whole
            yield Stream(opened, raw)
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(self.name, error) from error
        finally:
            if self.path != STDIN:
                raw.close()

    def has_lost(self) -> bool:
        """Say whether what was there at first is not; a file that only grew has lost nothing."""
        try:
            now = _version(os.stat(self.path))  # noqa: PTH116 -- the name as it was given
        except OSError:
            return True
        if self.version is None or now == self.version:
            return False
        return now[:2] != self.version[:2] or now[2] <= self.version[2]

    def has_changed(self) -> bool:
        """Say whether the file is another one than when it was first looked at."""
        try:
            return self.version is not None and _version(os.stat(self.path)) != self.version  # noqa: PTH116 -- the name as it was given
        except OSError:
            return True


class _Front(io.RawIOBase):
    """So many bytes of a file from its start."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw, self._left = raw, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        data = self._raw.read(min(self._left, len(view)))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)


@dataclass(frozen=True, slots=True)
class Stream:
    """An open file: its bytes as they are meant, and how far the bytes on disk have been read."""

    bytes: BinaryIO
    raw: BinaryIO

    def done(self) -> int:
        """Return how many bytes on disk have been read; 0 where nobody knows."""
        try:
            return self.raw.tell()
        except (OSError, ValueError, io.UnsupportedOperation):
            return 0


def files_of(paths: Sequence[str]) -> tuple[RunFile, ...]:
    """Return the files that paths and globs name, in their order; one that is named twice is read once."""
    found: dict[object, RunFile] = {}
    for path in paths:
        for name in _expand(path):
            file = _file(name)
            found.setdefault(file.version[:2] if file.version else name, file)
    return tuple(found.values())


@contextmanager
def repeatable(files: Sequence[RunFile]) -> Iterator[tuple[RunFile, ...]]:
    """Hand out files that can be read twice: what comes by a pipe is laid by on the disk, and gone afterwards."""
    with ExitStack() as stack:
        yield tuple(file if file.can_repeat else _laid_by(file, stack) for file in files)


def _laid_by(file: RunFile, stack: ExitStack) -> RunFile:
    with replace(file, is_compressed=False).open() as stream:
        try:
            copy = stack.enter_context(tempfile.NamedTemporaryFile(prefix="lockgate-"))  # noqa: SIM115 -- the stack closes it
            size = 0
            while block := stream.bytes.read(BLOCK):
                size += copy.write(block)
                if size > MAX_LAID_BY:
                    raise DataError(
                        f"{file.name} goes on for more than {MAX_LAID_BY >> 30} GiB",
                        advice="Save it to files, and ingest these one by one: nothing was stored.",
                    )
            copy.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise TryAgainError(
                f"there is no room to lay {file.name} by: {error.strerror}",
                advice="Make room in the folder of temporary files, or set TMPDIR: nothing was stored.",
            ) from error
    status = os.stat(copy.name)  # noqa: PTH116 -- as above
    return replace(file, path=copy.name, size=status.st_size, version=_version(status))


def refuse_changed(files: Sequence[RunFile]) -> None:
    """Refuse files that were looked through and are others now."""
    for file in files:
        if file.can_repeat and file.has_lost():
            raise DataError(
                f"{file.name} was changed while it was read",
                advice="Ingest it again when nobody changes it: nothing was stored.",
            )


def unreadable(name: str, error: Exception) -> DataError:
    """Return the error of a file that cannot be read."""
    why = (error.strerror if isinstance(error, OSError) else None) or str(error) or "it ends in the middle"
    return DataError(f"cannot read {name}: {why}", advice="Check that the file is whole and that you may read it.")


def _expand(path: str) -> list[str]:
    if path == STDIN or os.path.lexists(path) or not glob.has_magic(path):
        return [path]
    names = sorted({name for name in _matches(path) if not os.path.isdir(name)})  # noqa: PTH112 -- the name as it was given
    if not names:
        raise UsageError(f"no file matches {path}", advice="Check the pattern, or quote it if the shell changed it.")
    return names


def _matches(pattern: str) -> Iterator[str]:
    """Yield what a pattern matches; `**` goes into folders and not through links, which may lead round in a ring."""
    parts = pattern.split("/")
    if "**" not in parts:
        yield from glob.iglob(pattern)  # noqa: PTH207 -- the name as it was given
        return
    place = parts.index("**")
    head, tail = "/".join(parts[:place]), "/".join(parts[place + 1 :]) or "*"
    # A pattern from the root has an empty part before its first slash.
    bases = ["/"] if place == 1 and not parts[0] else glob.iglob(head) if head else ["."]  # noqa: PTH207 -- the name as it was given
    for base in bases:
        for folder, inner, _ in os.walk(base):
            inner[:] = [name for name in inner if not name.startswith(".")]
            within = "" if folder == "." and not head else glob.escape(os.path.join(folder, ""))  # noqa: PTH118 -- the name as it was given
            yield from _matches(within.removeprefix("" if head else "./") + tail)


def _file(name: str) -> RunFile:
    if name == STDIN and sys.stdin is None:
        raise UsageError("standard input is closed", advice="Pipe runs into it, or name a file.")
    if name == STDIN:
        return RunFile(STDIN_NAME, STDIN, "", is_compressed=False, size=None, version=None)
    try:
        status = os.stat(name)  # noqa: PTH116 -- the name as it was given
    except OSError as error:
        raise UsageError(
            f"cannot read {name}: {error.strerror}", advice="Name files, globs, or - for standard input."
        ) from error
    except ValueError as error:
        raise UsageError(f"cannot read {name!r}: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise UsageError(f"{name} is a folder", advice=f"Name the files in it: '{name.rstrip('/')}/*.ndjson'.")
    stem, suffix = os.path.splitext(name.lower())  # noqa: PTH122 -- the name as it was given
    is_compressed = suffix == GZIP
    if is_compressed:
        suffix = os.path.splitext(stem)[1]  # noqa: PTH122 -- the name as it was given
    is_plain = stat.S_ISREG(status.st_mode)
    return RunFile(
        name, name, suffix, is_compressed, status.st_size if is_plain else None, _version(status) if is_plain else None
    )


def _version(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
