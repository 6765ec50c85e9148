# SPDX-License-Identifier: Apache-2.0
"""A JSON file comes in, an array of runs or one run on each line; the texts of its runs, each on one line, go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import RunFile, Stream
from lockgate.adapters.decoders.json_elements import ArrayError, elements
from lockgate.adapters.decoders.json_runs import ADVICE, head_of
from lockgate.adapters.decoders.lines import LongLineError, Start, chunks
from lockgate.adapters.decoders.ndjson import FAILURES
from lockgate.adapters.decoders.records import Placed

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class JsonRecords:
    """Reads a JSON array; anything else is read line by line."""

    def read(self, file: RunFile, faults: Faults) -> Iterator[Sequence[Placed]]:
        """Yield the runs of one file."""
        with file.open() as stream:
            head, line = head_of(stream.bytes)
            if head.startswith(b"["):
                yield from _elements(stream, head, file.name, faults)
            else:
                yield from _lines(stream, Start(head, line), file.name, faults)


def _elements(stream: Stream, head: bytes, name: str, faults: Faults) -> Iterator[Sequence[Placed]]:
    start = 0
    try:
        for array in elements(stream.bytes, head):
            array.decode("utf-8")
            # Only blanks between tokens go; numbers stay as they were written.
            texts = [msgspec.json.format(bytes(raw), indent=-1) for raw in _ARRAY.decode(array)]
            yield [Placed(f"{name}:run {number}", text) for number, text in enumerate(texts, start + 1)]
            start += len(texts)
    except (ArrayError, *FAILURES) as error:
        raise faults.fail(name, f"not an array of runs: {error}; {ADVICE}") from error


def _lines(stream: Stream, start: Start, name: str, faults: Faults) -> Iterator[Sequence[Placed]]:
    try:
        for chunk in chunks(stream.bytes, start):
            lines = enumerate(chunk.data.split(b"\n"), chunk.first)
            yield [Placed(f"{name}:{number}", text.strip()) for number, text in lines if text.strip()]
    except LongLineError as error:
        raise faults.fail(f"{name}:{error.line}", str(error)) from error
