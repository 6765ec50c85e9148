# SPDX-License-Identifier: Apache-2.0
"""A CSV file whose header names the fields of the run record comes in; batches of runs go out.

A score is a column `scores.NAME`, a label a column `labels.NAME`; an empty cell says nothing.
"""

from __future__ import annotations

import csv
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.lines import BOM, MAX_LINE, TOO_LONG, LongLineError
from lockgate.adapters.decoders.ndjson import NOT_UTF8
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import MEASURABLE, RULES, Row, explain, hint
from lockgate.adapters.decoders.row_batches import PlacedRows, batches
from lockgate.core.wording import count_text

BATCH = 1_000
# Rows are converted at once until they are so many bytes.
BATCH_BYTES = 1 << 20
MAX_COLUMNS = 10_000
DELIMITERS = (",", ";", "\t")
GROUPS = ("scores", "labels")
# As databases, spreadsheets and Python write them.
ANSWERS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
# More digits are beyond every bound, and cost Python quadratic time.
MAX_DIGITS = 16

Cell = str | float | bool | None
Convert = Callable[[Sequence[str]], Sequence[Cell]]
FIELDS = Row.__struct_fields__


class TupleRow(Row, array_like=True, gc=False):
    """A row that is made from values in the order of its fields, which spares a mapping for each."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field: plain ones, and by group those with a name of their own."""

    names: tuple[str, ...]
    plain: tuple[tuple[int, str, Convert], ...]
    groups: Mapping[str, tuple[tuple[int, str, Convert], ...]]

    def tuples(self, rows: Sequence[Sequence[str]]) -> list[tuple[object, ...]]:
        """Return rows with a value for each field of a typed row, converted column by column."""
        columns = list(zip(*rows, strict=True))
        fields: dict[str, Sequence[object]] = {name: convert(columns[place]) for place, name, convert in self.plain}
        for group, members in self.groups.items():
            names = [name for _, name, _ in members]
            values = [convert(columns[place]) for place, _, convert in members]
            fields[group] = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        absent = [None] * len(rows)
        return list(zip(*(fields.get(name, absent) for name in FIELDS), strict=True))


class CsvRuns:
    """Decodes comma-, semicolon- or tab-separated values."""

    mark_family = "python"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        with file.open() as stream:
            table = _Table(stream.bytes)
            try:
                yield from _batches(table, file.name, reading, lambda: reading.tell(stream.done()))
            except LongLineError as error:
                raise reading.faults.fail(f"{file.name}:{error.line}", TOO_LONG) from error
            except UnicodeDecodeError as error:
                raise reading.faults.fail(f"{file.name}:{table.line}", NOT_UTF8) from error
            except csv.Error as error:
                raise reading.faults.fail(f"{file.name}:{table.line}", f"not CSV: {error}") from error


class _Table:
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


def _batches(table: _Table, file: str, reading: Reading, tell: Callable[[], None]) -> Iterator[Batch]:
    names = table.header()
    if not names:
        return
    header = _header(names, f"{file}:{table.line}", reading)
    for some in table.batches():
        yield from batches(_decode(some, header, file, reading), reading)
        tell()


def _header(names: list[str], place: str, reading: Reading) -> Header:
    if len(names) > MAX_COLUMNS:
        raise reading.faults.fail(place, f"more than {MAX_COLUMNS:,} columns; at most so many are read")
    twice = sorted(column for column, count in Counter(names).items() if count > 1 and column)
    if twice:
        raise reading.faults.fail(place, f"two columns are named {twice[0]}")
    if "release" not in names:
        raise reading.faults.fail(place, f"there is no column release{hint(names, ('release',))}")
    for group in GROUPS:
        if group in names:
            raise reading.faults.fail(place, f"{group} cannot be one column; write a column {group}.NAME for each")
    plain = tuple((place, name, CONVERTERS.get(name, _texts)) for place, name in enumerate(names) if name in RULES)
    groups = {
        group: tuple(
            (place, name.removeprefix(f"{group}."), _scores if group == "scores" else _texts)
            for place, name in enumerate(names)
            if name.startswith(f"{group}.")
        )
        for group in GROUPS
    }
    held = {group: members for group, members in groups.items() if members}
    if not {*held, *(name for _, name, _ in plain)} & set(MEASURABLE):
        raise reading.faults.fail(place, f"no measurable column{hint(names, MEASURABLE)}")
    return Header(tuple(names), plain, held)


def _decode(some: Sequence[tuple[int, list[str]]], header: Header, file: str, reading: Reading) -> PlacedRows:
    width = len(header.names)
    for line, cells in some:
        if len(cells) != width:
            reading.faults.add(f"{file}:{line}", f"{count_text(len(cells), 'cell')}, but the header has {width}")
    lines = [line for line, cells in some if len(cells) == width]
    tuples = header.tuples([cells for _, cells in some if len(cells) == width]) if lines else []
    rows: Sequence[Row]
    try:
        rows = msgspec.convert(tuples, list[TupleRow])
    except msgspec.ValidationError:
        rows, lines = _convert_each(tuples, lines, file, reading)
    return PlacedRows(rows, lambda position: f"{file}:{lines[position]}", lambda _: header.names)


def _convert_each(
    tuples: Sequence[tuple[object, ...]], lines: Sequence[int], file: str, reading: Reading
) -> tuple[list[Row], list[int]]:
    rows: list[Row] = []
    found: list[int] = []
    for line, values in zip(lines, tuples, strict=True):
        record = {name: value for name, value in zip(FIELDS, values, strict=True) if value is not None}
        try:
            rows.append(msgspec.convert(record, Row))
            found.append(line)
        except msgspec.ValidationError as error:
            reading.faults.add(f"{file}:{line}", explain(record, str(error)))
    return rows, found


def _texts(cells: Sequence[str]) -> Sequence[Cell]:
    return [cell or None for cell in cells] if "" in cells else cells


def _numbers(cells: Sequence[str]) -> Sequence[Cell]:
    """Return the numbers of a column; a cell without one stays text, which the row then refuses by name."""
    joined = "".join(cells)
    if "" not in cells and "_" not in joined and joined.isascii():
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return [_number(cell) for cell in cells]
        if all(map(math.isfinite, numbers)):
            return numbers
    return [_number(cell) for cell in cells]


def _number(cell: str) -> Cell:
    try:
        number = float(cell)
    except ValueError:
        return cell or None
    return number if math.isfinite(number) and "_" not in cell and cell.isascii() else cell


def _wholes(cells: Sequence[str]) -> Sequence[Cell]:
    joined = "".join(cells)
    if "" not in cells and joined.isdecimal() and joined.isascii() and max(map(len, cells)) < MAX_DIGITS:
        return list(map(int, cells))
    return [
        int(cell) if cell.isdecimal() and cell.isascii() and len(cell) < MAX_DIGITS else _number(cell) for cell in cells
    ]


def _scores(cells: Sequence[str]) -> Sequence[Cell]:
    answers = [ANSWERS.get(cell) for cell in cells]
    if None not in answers:
        return answers
    if not any(answer is not None for answer in answers):
        return _numbers(cells)
    return [_number(cell) if answer is None else answer for cell, answer in zip(cells, answers, strict=True)]


CONVERTERS: Mapping[str, Convert] = {
    "latency_ms": _numbers,
    "ttft_ms": _numbers,
    "input_tokens": _wholes,
    "output_tokens": _wholes,
}
