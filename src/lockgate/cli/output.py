# SPDX-License-Identifier: Apache-2.0
"""Rendered text comes in; it is written whole, or not at all, to a terminal, a pipe or a file.

What machines read is UTF-8 in any locale; what people read is fitted to their terminal.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UsageError

if TYPE_CHECKING:
    from lockgate.report.screen import Screen

PIPED_WIDTH = 100
# A read that is over sooner than this shows no progress.
PATIENCE_S = 0.7
# A temporary name is longer than the one that it stands for, which may be as long as names can be.
MAX_PREFIX = 32
FULL = (errno.ENOSPC, errno.EDQUOT)
SAMPLE = "✗∅✓┄━┣┫●│◂▸…−→"

Progress = Callable[[int, int | None], None]


def screen_of(stream: TextIO, environment: Mapping[str, str]) -> Screen:
    """Return what a stream can show."""
    from lockgate.report.screen import Screen

    return Screen(*screen_facts(stream, environment))


def screen_facts(stream: TextIO, environment: Mapping[str, str]) -> tuple[int, bool, bool]:
    """Return the width of a stream, and whether it shows colour and more than ASCII.

    NO_COLOR and FORCE_COLOR win over what it is.
    """
    is_terminal = stream.isatty()
    is_able = is_terminal and environment.get("TERM") != "dumb"
    colour = is_able or bool(environment.get("FORCE_COLOR"))
    width = PIPED_WIDTH
    if is_terminal or "COLUMNS" in environment:
        import shutil

        width = shutil.get_terminal_size((PIPED_WIDTH, 24)).columns
    return width, colour and not environment.get("NO_COLOR"), _shows(stream, SAMPLE)


def say(text: str) -> None:
    """Write text for a person to standard output, on a terminal broken between words where lines do not fit."""
    encoding = sys.stdout.encoding or "utf-8"
    _write(fitted_to(sys.stdout, text).encode(encoding, "backslashreplace"))


def say_lines(lines: Iterable[str]) -> None:
    """Write lines of any origin for a person to standard output."""
    from lockgate.report.text import printed

    say(printed(lines))


def complain(text: str) -> None:
    """Write text for a person to standard error; where that is full or gone, what was done stays done."""
    with contextlib.suppress(OSError):
        click.echo(fitted_to(sys.stderr, text), err=True)


def fitted_to(stream: TextIO, text: str) -> str:
    """Return text with lines that fit a terminal; for anything else each sentence stays in one line."""
    if not stream.isatty():
        return text
    from lockgate.report.text import fitted

    return fitted(text, _columns(stream))


def _columns(stream: TextIO) -> int:
    """Return how wide a terminal is, which is asked itself: standard output may be another one, or none."""
    told = os.environ.get("COLUMNS", "")
    # As shutil.get_terminal_size, by which tables are drawn, understands it.
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or PIPED_WIDTH
    except OSError:
        return PIPED_WIDTH


def emit(text: str) -> None:
    """Write text for a machine to standard output: the same bytes in every locale."""
    _write(text.encode("utf-8"))


def emit_pieces(pieces: Iterable[bytes]) -> bool:
    """Write bytes for a program to standard output as they come; say whether it took them all."""
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        close()
        return False
    except OSError as error:
        close()
        raise unwritten(error) from error
    return True


def emit_json(document: object, *, indent: int | None = 2) -> None:
    """Write a JSON document for a program to standard output."""
    # Only ASCII leaves, so that no terminal obeys a name.
    emit(json.dumps(document, indent=indent, allow_nan=False) + "\n")


def _write(data: bytes) -> None:
    """Write everything; a reader that went away changes nothing about the answer, which is the exit code."""
    sys.stdout.flush()
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        close()
    except OSError as error:
        close()
        raise unwritten(error) from error


def close() -> None:
    """Give the interpreter somewhere to flush to, so that it does not complain while it leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def unwritten(error: OSError) -> TryAgainError:
    """Return what is said where standard output takes nothing; what the command did is done."""
    return TryAgainError(
        f"cannot write to standard output: {error.strerror or error}; what the call did before this stands",
        advice="Make room, and look again.",
    )


def save(path: Path, text: str) -> None:
    """Write a file so that it is there whole or, after any failure, as it was before."""
    save_pieces(path, (text.encode("utf-8"),))


def save_pieces(path: Path, pieces: Iterable[bytes], *, is_durable: bool = True) -> int:
    """Write a file so that it is there whole or, after any failure, as it was before; return how many bytes.

    What is not durable may be lost where the machine stops, and is written faster: one of thousands that are had again.
    """
    counted = Counted(pieces)
    try:
        if path.exists() and not path.is_file():
            # A pipe or a device takes bytes as they come; a folder refuses. Where it leads to may have no path.
            with path.open("wb") as file:
                file.writelines(counted)
        else:
            _replace(resolved(path), counted, is_durable=is_durable)
    except OSError as error:
        raise refusal(path, error) from error
    return counted.size


class Counted:
    """Pieces that are counted as they are taken."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self.size = pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size += len(piece)
            yield piece


def resolved(path: Path) -> Path:
    """Return where a path leads; links that lead round in a ring lead nowhere."""
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        # Python before 3.13 says so by a RuntimeError.
        raise UsageError(f"cannot write {path}: its links lead nowhere", advice="Name another file.") from error


def refusal(path: Path, error: OSError) -> LockgateError:
    """Return what is said where a file cannot be written: what may not be, what has no room, and what cannot be."""
    said = f"cannot write {path}: {error.strerror or error}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotPermittedError(said, advice="Name a file in a folder that you may write to.")
    if error.errno in FULL:
        return TryAgainError(said, advice="Make room, and call again.")
    if error.errno == errno.EPIPE:
        return TryAgainError(f"{said}; whoever read it went away", advice="Read to its end.")
    return UsageError(said, advice="Name a file in a folder that can be written.")


def _replace(target: Path, pieces: Iterable[bytes], *, is_durable: bool) -> None:
    import tempfile

    handle, name = tempfile.mkstemp(prefix=f".{target.name[:MAX_PREFIX]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def progress_on(stream: TextIO, *, wanted: bool) -> Iterator[Progress]:
    """Hand out a function to tell progress to; it draws only on a terminal, and only when reading takes long."""
    if not wanted or not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _done, _total: None
        return
    meter = _Meter(stream)
    try:
        yield meter.tell
    finally:
        meter.stop()


class _Meter:
    """Progress that loads rich when a read turns out to be long."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._started = time.monotonic()
        self._stop: Callable[[], None] = lambda: None
        self._update: Progress | None = None

    def tell(self, done: int, total: int | None) -> None:
        """Show how far reading has come."""
        if self._update is None:
            if time.monotonic() - self._started < PATIENCE_S:
                return
            self._update = self._start()
        self._update(done, total)

    def stop(self) -> None:
        """Clear the line."""
        self._stop()

    def _start(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        bars = Bars(
            TextColumn("  reading"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=Console(file=self._stream),
            transient=True,
        )
        task = bars.add_task("reading", total=None)
        bars.start()
        self._stop = bars.stop
        return lambda done, total: bars.update(task, completed=done, total=total)


def _shows(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
