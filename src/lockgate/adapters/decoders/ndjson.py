# SPDX-License-Identifier: Apache-2.0
"""A file with one JSON object on each line comes in; batches of runs go out.

A chunk of lines is decoded at once; one with a fault is decoded again line by line, so that each fault is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec
import numpy as np

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.file import RunFile, Stream
from lockgate.adapters.decoders.lines import TOP, Chunk, LongLineError, Start, chunks
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import Row, explain
from lockgate.adapters.decoders.row_batches import PlacedRows, batches

DECODER = msgspec.json.Decoder(Row)
UNTYPED = msgspec.json.Decoder()
OTHER_UNICODE = (b"\xff\xfe", b"\xfe\xff")
_OPENED, _CLOSED, _BREAK = b"{}\n"
NOT_UTF8 = "not UTF-8 text; write the file as UTF-8"
NO_OBJECT = "not JSON: no object in braces; standard input and .ndjson have one on each line"
FAILURES = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class Ndjson:
    """Decodes newline-delimited JSON."""

    mark_family = "python"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        with file.open() as stream:
            yield from decode_stream(stream, file.name, reading, TOP)


def decode_stream(stream: Stream, name: str, reading: Reading, start: Start) -> Iterator[Batch]:
    """Yield the runs of an open file of which the start was read."""
    try:
        for chunk in chunks(stream.bytes, start):
            yield from decode_lines(chunk, name, reading)
            reading.tell(stream.done())
    except LongLineError as error:
        raise reading.faults.fail(f"{name}:{error.line}", str(error)) from error


def decode_lines(chunk: Chunk, name: str, reading: Reading) -> Iterator[Batch]:
    """Yield the runs of some lines of a file."""
    if chunk.first == 1 and chunk.data.startswith(OTHER_UNICODE):
        raise reading.faults.fail(f"{name}:1", NOT_UTF8)
    rows = _decode_at_once(chunk)
    if rows is None:
        yield from batches(_decode_each(chunk, name, reading), reading)
        return
    lines = _Lines(chunk)
    yield from batches(
        PlacedRows(
            rows,
            lambda position: f"{name}:{lines.number(position)}",
            lambda position: UNTYPED.decode(lines.text(position)),
        ),
        reading,
    )


def why_not(text: bytes, error: Exception) -> str:
    """Return what is wrong with the text of one run."""
    if isinstance(error, UnicodeDecodeError):
        return NOT_UTF8
    if isinstance(error, RecursionError):
        return "nested too deeply"
    try:
        record = UNTYPED.decode(text)
    except msgspec.DecodeError as malformed:
        if any(word in text for word in (b"NaN", b"Infinity")):
            return "NaN and Infinity are no JSON; leave the field out"
        if "out of range" in str(malformed):
            return "a number is too large to be read"
        if not text.lstrip().startswith(b"{"):
            return NO_OBJECT
        return f"not JSON: {malformed}"
    except RecursionError:
        return "nested too deeply"
    return explain(record, str(error))


class _Lines:
    """The lines of a chunk that are not blank, split when somebody asks."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self._found: list[tuple[int, bytes]] | None = None

    def number(self, position: int) -> int:
        return self.all()[position][0]

    def text(self, position: int) -> bytes:
        return self.all()[position][1]

    def all(self) -> list[tuple[int, bytes]]:
        if self._found is None:
            lines = enumerate(self._chunk.data.split(b"\n"), self._chunk.first)
            self._found = [(number, text) for number, text in lines if text.strip()]
        return self._found


def _decode_at_once(chunk: Chunk) -> list[Row] | None:
    """Return the rows of lines with one run each; None if anything has to be looked at more closely."""
    data = chunk.data
    try:
        if not data.isascii():
            data.decode("utf-8")
        rows = DECODER.decode_lines(data)
    except FAILURES:
        return None
    return rows if are_on_their_own(data, len(rows)) else None


def are_on_their_own(data: bytes, runs: int) -> bool:
    """Say whether so many runs that were decoded stand on one line each.

    The decoder lets a run go over several lines, and several runs stand on one. A line break between `}` and `{`
    is between two runs, because within one a comma stands there.
    """
    text = data.removesuffix(b"\n")
    codes = np.frombuffer(text, np.uint8)
    breaks = np.flatnonzero(codes == _BREAK)
    if text.startswith(b"{") and text.endswith(b"}") and breaks.size == runs - 1:
        ends, starts = codes[breaks - 1], codes[breaks + 1]
        if (ends == _CLOSED).all() and (starts == _OPENED).all():
            return True
    lines = [line for text in data.split(b"\n") if (line := text.strip())]
    return len(lines) == runs and all(line.startswith(b"{") and line.endswith(b"}") for line in lines)


def _decode_each(chunk: Chunk, name: str, reading: Reading) -> PlacedRows:
    rows: list[Row] = []
    lines: list[tuple[int, bytes]] = []
    for number, text in _Lines(chunk).all():
        try:
            text.decode("utf-8")
            rows.append(DECODER.decode(text))
            lines.append((number, text))
        except FAILURES as error:
            reading.faults.add(f"{name}:{number}", partial(why_not, text, error))
    return PlacedRows(
        rows,
        lambda position: f"{name}:{lines[position][0]}",
        lambda position: UNTYPED.decode(lines[position][1]),
    )
