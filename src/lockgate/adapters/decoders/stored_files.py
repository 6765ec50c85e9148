# SPDX-License-Identifier: Apache-2.0
"""Files of runs in any format come in; batches to be kept go out, each with a body of JSON lines.

Every file is looked through before the first batch comes out: of files with a fault nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import CHANGED, RunFile, files_of, refuse_changed, repeatable
from lockgate.adapters.decoders.records import Placed, Records
from lockgate.core.batch import RunBatch
from lockgate.errors import DataError, UsageError
from lockgate.ports.reading import BatchCheck, Progress, RunBatches, accept

# As many bytes of lines are one batch, about ten thousand runs.
BATCH = 1 << 21
ADVICE = "Correct these runs or leave them out, and ingest again: nothing was stored."
# How the decoder of lines begins a fault of a body that is one line.
ONLY_LINE = "the batch:1: "


class Lines(RunBatches, Protocol):
    """What decodes JSON lines."""

    def read_once(self, file: RunFile, app: str | None, progress: Progress, advice: str = ADVICE) -> Iterator[RunBatch]:
        """Yield the runs of one file until there is a fault; all faults are raised at the end, with an advice."""


class StoredFiles:
    """Reads runs to be kept: `line_suffixes` by the decoder of lines, others by the records of their format."""

    def __init__(self, lines: Lines, line_suffixes: Sequence[str], others: Mapping[str, Callable[[], Records]]) -> None:
        self._lines = lines
        self._line_suffixes = line_suffixes
        self._others = others

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of one body."""
        return replace(self._lines.decode(body, app), default_app=app)

    def read(
        self, paths: Sequence[str], app: str | None, progress: Progress, check: BatchCheck = accept
    ) -> Iterator[RunBatch]:
        """Yield the runs of all files."""
        for batch in self._read(paths, app, progress, check):
            yield replace(batch, default_app=app)

    def _read(self, paths: Sequence[str], app: str | None, progress: Progress, check: BatchCheck) -> Iterator[RunBatch]:
        files = files_of(paths)
        for file in files:
            self._check_format(file)
        if all(file.suffix in self._line_suffixes for file in files):
            yield from self._lines.read(paths, app, progress, check)
            return
        with repeatable(files) as again:
            told = _Told(progress, again)
            for file in again:
                faults = Faults(ADVICE)
                for batch in self._batches(file, app, told, faults):
                    check(batch)
                faults.check()
            refuse_changed(again)
            told.restart()
            for file in again:
                faults = Faults(CHANGED)
                yield from self._batches(file, app, told, faults, CHANGED)
                faults.check()

    def _batches(
        self, file: RunFile, app: str | None, told: _Told, faults: Faults, advice: str = ADVICE
    ) -> Iterator[RunBatch]:
        if file.suffix in self._line_suffixes:
            yield from self._lines.read_once(file, app, told.within, advice)
        else:
            for some in _grouped(self._others[file.suffix]().read(file, faults)):
                batch = self._decoded(some, app, faults)
                if batch is not None:
                    yield batch
        told.finish(file)

    def _decoded(self, some: Sequence[Placed], app: str | None, faults: Faults) -> RunBatch | None:
        """Return the runs of some texts, or None when one has a fault; then each is looked at by itself."""
        try:
            return replace(self._lines.decode(_body(some), app), where=lambda position: some[position].place)
        except DataError:
            for one in some:
                try:
                    self._lines.decode(_body([one]), app)
                except DataError as error:
                    faults.add(one.place, error.message.removeprefix(ONLY_LINE))
            return None

    def _check_format(self, file: RunFile) -> None:
        if file.suffix in self._line_suffixes or file.suffix in self._others:
            return
        known = ", ".join((*filter(None, self._line_suffixes), *self._others))
        raise UsageError(
            f"{file.name} has no known format", advice=f"Known suffixes: {known}; all but .parquet also with .gz."
        )


class _Told:
    """Who is told how far reading came, over several files."""

    def __init__(self, progress: Progress, files: Sequence[RunFile]) -> None:
        self._progress = progress
        self._total = sum(file.size or 0 for file in files) or None
        self._done = 0

    def within(self, done: int, _total: int | None) -> None:
        """Tell how far the file that is being read is."""
        self._progress(self._done + done, self._total)

    def finish(self, file: RunFile) -> None:
        """Tell that a file is done."""
        self._done += file.size or 0
        self._progress(self._done, self._total)

    def restart(self) -> None:
        """Begin the second reading."""
        self._done = 0


def _grouped(parts: Iterator[Sequence[Placed]]) -> Iterator[list[Placed]]:
    group: list[Placed] = []
    size = 0
    for part in parts:
        group += part
        size += sum(len(one.text) for one in part)
        if size >= BATCH:
            yield group
            group, size = [], 0
    if group:
        yield group


def _body(some: Sequence[Placed]) -> bytes:
    return b"".join(one.text + b"\n" for one in some)
