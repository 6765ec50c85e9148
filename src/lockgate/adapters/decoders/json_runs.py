# SPDX-License-Identifier: Apache-2.0
"""A JSON file comes in, an array of runs or one run on each line; batches of runs go out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

import msgspec

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.file import RunFile, Stream
from lockgate.adapters.decoders.json_elements import BLANKS, ArrayError, elements
from lockgate.adapters.decoders.lines import BLOCK, BOM, Start
from lockgate.adapters.decoders.ndjson import DECODER, FAILURES, UNTYPED, decode_stream, why_not
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import Row
from lockgate.adapters.decoders.row_batches import PlacedRows, batches

ADVICE = "write one run on each line (.ndjson)"

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class JsonRuns:
    """Decodes a JSON array of runs; anything else is read line by line."""

    mark_family = "python"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file, which is opened once because a pipe cannot be opened again."""
        with file.open() as stream:
            head, line = head_of(stream.bytes)
            if head.startswith(b"["):
                yield from _decode_array(stream, head, file.name, reading)
            else:
                yield from decode_stream(stream, file.name, reading, Start(head, line))


def head_of(stream: BinaryIO) -> tuple[bytes, int]:
    """Return the first bytes from the first that is not blank, and the number of their line."""
    head, line = stream.read(BLOCK).removeprefix(BOM), 1
    while head and not head.strip(BLANKS):
        line += head.count(b"\n")
        head = stream.read(BLOCK)
    text = head.lstrip(BLANKS)
    return text, line + head[: len(head) - len(text)].count(b"\n")


def _decode_array(stream: Stream, head: bytes, name: str, reading: Reading) -> Iterator[Batch]:
    start = 0
    try:
        for array in elements(stream.bytes, head):
            array.decode("utf-8")
            texts = [bytes(raw) for raw in _ARRAY.decode(array)]
            yield from batches(_decode_some(texts, start, name, reading), reading)
            start += len(texts)
            reading.tell(stream.done())
    except (ArrayError, *FAILURES) as error:
        raise reading.faults.fail(name, f"not an array of runs: {error}; {ADVICE}") from error


def _decode_some(texts: list[bytes], start: int, name: str, reading: Reading) -> PlacedRows:
    rows: list[Row] = []
    found: list[int] = []
    for position, text in enumerate(texts):
        try:
            rows.append(DECODER.decode(text))
            found.append(position)
        except FAILURES as error:
            reading.faults.add(f"{name}:run {start + position + 1}", partial(why_not, text, error))
    return PlacedRows(
        rows,
        lambda index: f"{name}:run {start + found[index] + 1}",
        lambda index: UNTYPED.decode(texts[found[index]]),
    )
