# SPDX-License-Identifier: Apache-2.0
"""Runs on lines of JSON come in; batches with whose they are, when they began and their bytes go out.

A file is decoded twice: first whole, to find every fault, then again batch by batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Annotated

import msgspec
import numpy as np

from lockgate.adapters.decoders.faults import Faults, What
from lockgate.adapters.decoders.file import CHANGED, RunFile, files_of, refuse_changed, repeatable
from lockgate.adapters.decoders.lines import Chunk, LongLineError, chunks
from lockgate.adapters.decoders.ndjson import FAILURES, are_on_their_own, why_not
from lockgate.adapters.decoders.row import MAX_FLAGS, MEASURABLE, Flaw, Row, ScoreNames, are_sound, flaw, hint
from lockgate.adapters.decoders.row_columns import columns_of, texts
from lockgate.adapters.decoders.start_times import Time, instant
from lockgate.adapters.decoders.stored_columns import ShapedRuns, pieces
from lockgate.core.app import slice_from
from lockgate.core.batch import Group, RunBatch
from lockgate.errors import DataError, UsageError
from lockgate.ports.reading import BatchCheck, Progress, accept

SUFFIXES = ("", ".ndjson", ".jsonl")
# About ten thousand runs: what is committed at once costs one synchronisation of the disk.
BATCH = 1 << 21
ADVICE = "Correct these runs or leave them out, and ingest again: nothing was stored."
NO_APP = Flaw("app_id is missing, and no app was named for runs without one")
UNNAMED_LABEL = Flaw("a label has no name")
OWN_FLAG = Flaw("flags name the run's own app, for which it counts by its release")
# The number of a line, or the place of a row, and what is wrong there.
Wrong = tuple[int, What]


class StoredRow(Row, gc=False):
    """A run that is kept: besides what is measured, whose it is, when it began, and which flags it met."""

    app_id: str | None = None
    started_at: Time | None = None
    flags: Annotated[dict[str, str | None], msgspec.Meta(max_length=MAX_FLAGS)] | None = None


_DECODER = msgspec.json.Decoder(StoredRow)


@dataclass(slots=True)
class _Reading:
    """What the batches of one call share."""

    app: str | None
    faults: Faults
    shaped: ShapedRuns
    names: ScoreNames = field(default_factory=ScoreNames)


class StoredRuns:
    """Decodes runs to be kept, from files of JSON lines or from a body."""

    def __init__(self) -> None:
        self._shaped = ShapedRuns(StoredRow)

    def read(
        self, paths: Sequence[str], app: str | None, progress: Progress, check: BatchCheck = accept
    ) -> Iterator[RunBatch]:
        """Yield the runs of all files."""
        files = files_of(paths)
        for file in files:
            if file.suffix not in SUFFIXES:
                raise UsageError(
                    f"{file.name} is not JSON lines", advice="Kept runs are read from .ndjson or .jsonl, also with .gz."
                )
        with repeatable(files) as again:
            total = sum(file.size or 0 for file in again) or None
            for batch in _decoded(again, app, progress, total):
                check(batch)
            refuse_changed(again)
            yield from _decoded(again, app, progress, total, CHANGED)

    def read_once(self, file: RunFile, app: str | None, progress: Progress, advice: str = ADVICE) -> Iterator[RunBatch]:
        """Yield the runs of one file until there is a fault; all faults are raised at the end, with an advice."""
        return _decoded([file], app, progress, file.size, advice)

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of one body."""
        reading = _Reading(app, Faults(), self._shaped)
        batch = _batch(body, 1, "the batch", reading)
        _check(reading)
        assert batch is not None
        return batch


def _decoded(
    files: Sequence[RunFile], app: str | None, progress: Progress, total: int | None, advice: str = ADVICE
) -> Iterator[RunBatch]:
    """Yield batches until there is a fault; all faults are raised at the end."""
    reading, done = _Reading(app, Faults(), ShapedRuns(StoredRow)), 0
    for file in files:
        with file.open() as stream:
            try:
                for some in _grouped(chunks(stream.bytes)):
                    body = b"".join(chunk.data for chunk in some)
                    batch = _batch(body, some[0].first, file.name, reading)
                    progress(done + stream.done(), total)
                    if batch is not None and batch.columns.runs:
                        yield replace(batch, where=_places(body, some[0].first, file.name))
            except LongLineError as error:
                reading.faults.add(f"{file.name}:{error.line}", str(error))
        done += file.size or 0
    _check(reading, advice)


def _places(body: bytes, first: int, name: str) -> Callable[[int], str]:
    """Return what names the line of a run of a body; it looks when somebody asks."""

    def where(position: int) -> str:
        lines = (number for number, text in enumerate(body.split(b"\n"), first) if text.strip())
        return f"{name}:{next(islice(lines, position, None))}"

    return where


def _check(reading: _Reading, advice: str = ADVICE) -> None:
    try:
        reading.faults.check()
    except DataError as error:
        raise DataError(error.message, advice=advice) from None


def _grouped(parts: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    """Yield what is one batch each: many chunks, and at the end of a file single ones.

    A log that is ingested as it grows is the same chunks again but for the last, and only that is kept again.
    """
    group: list[Chunk] = []
    for part in parts:
        # A compressed file may say nothing for long.
        if part.data.isspace():
            continue
        group.append(part)
        if sum(len(each.data) for each in group) >= BATCH:
            yield group
            group = []
    for part in group:
        yield [part]


def _batch(body: bytes, first: int, name: str, reading: _Reading) -> RunBatch | None:
    """Return the runs of lines from a number on, or None when one has a fault, which is told to the reading."""
    batch = reading.shaped.batch(body, reading.app, reading.names)
    if batch is not None:
        return batch
    placed, wrong = _rows(body, first)
    rows = [row for _, row in placed]
    flaws = _flaws(rows, reading)
    lines = body.split(b"\n") if flaws else []
    wrong += [(number, _asked(what, lines[number - first])) for place, what in flaws for number in [placed[place][0]]]
    for number, what in sorted(wrong, key=itemgetter(0)):
        reading.faults.add(f"{name}:{number}", what)
    if wrong:
        return None
    places: dict[Group, int] = {}
    group = [
        places.setdefault(Group(_app(row, reading), str(row.release), slice_from(row.labels)), len(places))
        for row in rows
    ]
    also = [
        (position, places.setdefault(Group(flag, variant, slice_from(row.labels)), len(places)))
        for position, row in enumerate(rows)
        if row.flags
        for flag, variant in row.flags.items()
        if variant is not None
    ]
    probes = texts([row.probe_id for row in rows])
    return RunBatch(
        body=body,
        columns=columns_of(rows, ()),
        groups=tuple(places),
        group=np.array(group, np.intp),
        started_at=np.array([instant(row.started_at) for row in rows], np.int64),
        ids=texts([row.run_id for row in rows]),
        probes=() if probes.count(None) == len(probes) else probes,
        also=also,
    )


def _rows(body: bytes, first: int) -> tuple[list[tuple[int, StoredRow]], list[Wrong]]:
    """Return the rows of lines, with their numbers, and what is wrong with the lines that are none."""
    lines = [(number, text) for number, text in enumerate(body.split(b"\n"), first) if text.strip()]
    rows: list[StoredRow] = []
    try:
        # Some at a time: while the decoder is at work no other thread is, and a body may have a hundred thousand lines.
        for start, end in pieces(body):
            piece = body[start:end]
            piece.decode("utf-8")
            rows += _DECODER.decode_lines(piece)
    except FAILURES:
        rows = []
    if are_on_their_own(body, len(rows)):
        return [(number, row) for (number, _), row in zip(lines, rows, strict=True)], []
    placed: list[tuple[int, StoredRow]] = []
    wrong: list[Wrong] = []
    for number, text in lines:
        try:
            text.decode("utf-8")
            placed.append((number, _DECODER.decode(text)))
        except FAILURES as error:
            wrong.append((number, partial(why_not, text, error)))
    return placed, wrong


def _asked(wrong: Flaw, text: bytes) -> What:
    """Return a flaw; of a run that says nothing to measure, with a field of its line that may be meant to."""
    return partial(_question, wrong.what, text) if wrong.is_unmeasured else wrong.what


def _question(what: str, text: bytes) -> str:
    try:
        return f"{what}{hint(msgspec.json.decode(text), MEASURABLE)}"
    except FAILURES:
        # Fields that nobody reads may hold what only a reader of all of it refuses.
        return what


def _flaws(rows: Sequence[StoredRow], reading: _Reading) -> list[tuple[int, Flaw]]:
    """Return what is wrong with rows although each field is of its type, by place."""
    found: list[tuple[int, Flaw]] = []
    if not are_sound(rows, reading.names):
        found += [(place, wrong) for place, row in enumerate(rows) if (wrong := flaw(row, reading.names))]
    if reading.app is None:
        found += [(place, NO_APP) for place, row in enumerate(rows) if not row.app_id]
    found += [(place, OWN_FLAG) for place, row in enumerate(rows) if row.flags and _app(row, reading) in row.flags]
    found += [(place, UNNAMED_LABEL) for place, row in enumerate(rows) if row.labels and "" in row.labels]
    return found


def _app(row: StoredRow, reading: _Reading) -> str:
    return row.app_id or reading.app or ""
