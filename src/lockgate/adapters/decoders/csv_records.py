# SPDX-License-Identifier: Apache-2.0
"""A CSV file comes in; its rows go out as texts of JSON, with every column that has a name."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import msgspec

from lockgate.adapters.decoders.csv_runs import GROUPS, Header, header_of
from lockgate.adapters.decoders.csv_table import Table
from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.lines import TOO_LONG, LongLineError
from lockgate.adapters.decoders.ndjson import NOT_UTF8
from lockgate.adapters.decoders.records import Placed
from lockgate.core.wording import count_text

_ENCODER = msgspec.json.Encoder()


class CsvRecords:
    """Reads comma-, semicolon- or tab-separated values; a flag has a column `flags.NAME`."""

    def read(self, file: RunFile, faults: Faults) -> Iterator[Sequence[Placed]]:
        """Yield the rows of one file."""
        with file.open() as stream:
            table = Table(stream.bytes)
            try:
                names = table.header()
                if not names:
                    return
                header = header_of(names, f"{file.name}:{table.line}", faults, (*GROUPS, "flags"), whole=True)
                for some in table.batches():
                    yield _placed(some, header, file.name, faults)
            except LongLineError as error:
                raise faults.fail(f"{file.name}:{error.line}", TOO_LONG) from error
            except UnicodeDecodeError as error:
                raise faults.fail(f"{file.name}:{table.line}", NOT_UTF8) from error
            except csv.Error as error:
                raise faults.fail(f"{file.name}:{table.line}", f"not CSV: {error}") from error


def _placed(some: Sequence[tuple[int, list[str]]], header: Header, name: str, faults: Faults) -> list[Placed]:
    width = len(header.names)
    whole = [(line, cells) for line, cells in some if len(cells) == width]
    for line, cells in some:
        if len(cells) != width:
            faults.add(f"{name}:{line}", f"{count_text(len(cells), 'cell')}, but the header has {width}")
    records = header.records([cells for _, cells in whole]) if whole else []
    return [Placed(f"{name}:{line}", _ENCODER.encode(record)) for (line, _), record in zip(whole, records, strict=True)]
