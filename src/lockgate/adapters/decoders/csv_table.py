# SPDX-License-Identifier: Apache-2.0
"""The bytes of a CSV file come in; the names of its columns, and its rows with the line of each, go out."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from lockgate.adapters.decoders.lines import BOM, MAX_LINE, LongLineError

BATCH = 1_000
# Rows are converted at once until they are so many bytes.
BATCH_BYTES = 1 << 20
DELIMITERS = (",", ";", "\t")


class Table:
    """The rows of a CSV file with the line on which each begins."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._mark = DELIMITERS[0]
        self._ahead: deque[bytes] = deque()
        self._row_bytes = 0
        self.line = 0

    def header(self) -> list[str]:
        """Return the names of the columns; the separator is the one under which `release` is one of them."""
        refused: csv.Error | None = None
        others: list[list[str]] = []
        for mark in DELIMITERS:
            taken: list[bytes] = []
            self._row_bytes = 0
            try:
                cells = next(filter(None, csv.reader(self._lines(taken), delimiter=mark, strict=True)), [])
            except csv.Error as error:
                # A quoted name is no cell where another mark separates.
                refused = refused or error
                cells = []
            if "release" in cells:
                self._mark = mark
                return cells
            others += [cells] if cells else []
            self._ahead.extendleft(reversed(taken))
            self.line -= len(taken)
        self.line = 1
        if not others and refused:
            raise refused
        return others[0] if others else []

    def batches(self) -> Iterator[list[tuple[int, list[str]]]]:
        """Yield rows that are not blank, each with its line, as many as are converted at once."""
        some: list[tuple[int, list[str]]] = []
        size = 0
        reader = csv.reader(self._lines(None), delimiter=self._mark, strict=True)
        while True:
            first, self._row_bytes = self.line + 1, 0
            cells = next(reader, None)
            if cells:
                some.append((first, cells))
                size += self._row_bytes
            if some and (cells is None or len(some) >= BATCH or size >= BATCH_BYTES):
                yield some
                some, size = [], 0
            if cells is None:
                return

    def _lines(self, taken: list[bytes] | None) -> Iterator[str]:
        """Yield the lines of one row after another; `taken` remembers them."""
        while data := self._ahead.popleft() if self._ahead else self._stream.readline(MAX_LINE):
            self.line += 1
            self._row_bytes += len(data)
            # A quoted cell may go over lines, and has to end.
            if self._row_bytes >= MAX_LINE and (self._row_bytes > len(data) or not data.endswith(b"\n")):
                raise LongLineError(self.line)
            if taken is not None:
                taken.append(data)
            yield (data.removeprefix(BOM) if self.line == 1 else data).decode("utf-8")
