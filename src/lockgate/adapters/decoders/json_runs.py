# SPDX-License-Identifier: Apache-2.0
"""A JSON file comes in, an array of runs or one run on each line; batches of runs go out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.lines import BOM
from lockgate.adapters.decoders.ndjson import DECODER, FAILURES, UNTYPED, Ndjson, why_not
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import Row
from lockgate.adapters.decoders.row_batches import PlacedRows, batches

# An array has to be held whole; larger files are written with one run on each line.
MAX_ARRAY = 256 << 20
BLANKS = b" \t\r\n"
BATCH = 1_000
ADVICE = "write one run on each line (.ndjson)"

_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])


class JsonRuns:
    """Decodes a JSON array of runs; anything else is read line by line."""

    mark_family = "python"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        with file.open() as stream:
            head = stream.bytes.read(4096).removeprefix(BOM).lstrip(BLANKS)
            if head.startswith(b"["):
                data = head + stream.bytes.read(MAX_ARRAY)
                yield from _decode_array(data, file.name, reading)
                return
        yield from Ndjson().decode(file, reading)


def _decode_array(data: bytes, name: str, reading: Reading) -> Iterator[Batch]:
    if len(data) > MAX_ARRAY:
        raise reading.faults.fail(name, f"an array of more than 256 MiB; {ADVICE}")
    try:
        data.decode("utf-8")
        texts = [bytes(raw) for raw in _ARRAY.decode(data)]
    except FAILURES as error:
        raise reading.faults.fail(name, f"not an array of runs: {error}; {ADVICE}") from error
    for start in range(0, len(texts), BATCH):
        yield from batches(_decode_some(texts[start : start + BATCH], start, name, reading), reading)


def _decode_some(texts: list[bytes], start: int, name: str, reading: Reading) -> PlacedRows:
    rows: list[Row] = []
    found: list[int] = []
    for position, text in enumerate(texts):
        try:
            rows.append(DECODER.decode(text))
            found.append(position)
        except FAILURES as error:
            reading.faults.add(f"{name}:run {start + position + 1}", why_not(text, error))
    return PlacedRows(
        rows,
        lambda index: f"{name}:run {start + found[index] + 1}",
        lambda index: UNTYPED.decode(texts[found[index]]),
    )
