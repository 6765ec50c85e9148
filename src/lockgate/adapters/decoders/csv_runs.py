# SPDX-License-Identifier: Apache-2.0
"""A CSV file whose header names the fields of the run record comes in; batches of runs go out.

A score is a column `scores.NAME`, a label a column `labels.NAME`; an empty cell says nothing.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import msgspec

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.lines import BOM, MAX_LINE, TOO_LONG, LongLineError
from lockgate.adapters.decoders.ndjson import NOT_UTF8
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import MEASURABLE, RULES, Row, explain, hint
from lockgate.adapters.decoders.row_batches import PlacedRows, batches

BATCH = 1_000
DELIMITERS = (",", ";", "\t")
GROUPS = ("scores", "labels")
ANSWERS = {"true": True, "false": False}

Cell = str | float | bool
Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field: plain ones, and by group those with a name of their own."""

    width: int
    plain: tuple[tuple[int, str, Callable[[str], Cell]], ...]
    groups: tuple[tuple[int, str, str, Callable[[str], Cell]], ...]
    names: tuple[str, ...]

    def record(self, cells: Sequence[str]) -> Record:
        """Return the cells as a record of the fields that say something."""
        record: Record = {name: convert(cells[place]) for place, name, convert in self.plain if cells[place]}
        for place, group, name, convert in self.groups:
            if cells[place]:
                members = record.setdefault(group, {})
                members[name] = convert(cells[place])  # type: ignore[index]
        return record


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
        self.line = 0

    def header(self) -> list[str]:
        """Return the names of the columns; the separator is the one under which `release` is one of them."""
        first = next(self._lines(), "")
        rows = [next(csv.reader([first], delimiter=mark, strict=True), []) for mark in DELIMITERS]
        self._mark, cells = next(
            ((mark, row) for mark, row in zip(DELIMITERS, rows, strict=True) if "release" in row),
            (DELIMITERS[0], rows[0]),
        )
        return cells

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank."""
        reader = csv.reader(self._lines(), delimiter=self._mark, strict=True)
        while True:
            first = self.line + 1
            cells = next(reader, None)
            if cells is None:
                return
            if cells:
                yield first, cells

    def _lines(self) -> Iterator[str]:
        while data := self._stream.readline(MAX_LINE):
            self.line += 1
            if len(data) == MAX_LINE and not data.endswith(b"\n"):
                raise LongLineError(self.line)
            yield (data.removeprefix(BOM) if self.line == 1 else data).decode("utf-8")


def _batches(table: _Table, name: str, reading: Reading, tell: Callable[[], None]) -> Iterator[Batch]:
    names = table.header()
    if not names:
        return
    header = _header(names, name, reading)
    rows = table.rows()
    while some := list(islice(rows, BATCH)):
        yield from batches(_decode(some, header, name, reading), reading)
        tell()


def _header(names: list[str], name: str, reading: Reading) -> Header:
    twice = sorted({column for column in names if names.count(column) > 1 and column})
    if twice:
        raise reading.faults.fail(f"{name}:1", f"two columns are named {twice[0]}")
    if "release" not in names:
        raise reading.faults.fail(f"{name}:1", f"there is no column release{hint(names, ('release',))}")
    for group in GROUPS:
        if group in names:
            raise reading.faults.fail(
                f"{name}:1", f"{group} cannot be one column; write a column {group}.NAME for each"
            )
    plain = tuple((place, column, CONVERTERS.get(column, str)) for place, column in enumerate(names) if column in RULES)
    groups = tuple(
        (place, group, column.removeprefix(f"{group}."), _score if group == "scores" else str)
        for place, column in enumerate(names)
        for group in GROUPS
        if column.startswith(f"{group}.")
    )
    if not ({column for _, column, _ in plain} | {group for _, group, _, _ in groups}) & set(MEASURABLE):
        raise reading.faults.fail(f"{name}:1", f"no measurable column{hint(names, MEASURABLE)}")
    return Header(len(names), plain, groups, tuple(names))


def _decode(some: Sequence[tuple[int, list[str]]], header: Header, name: str, reading: Reading) -> PlacedRows:
    records: list[Record] = []
    lines: list[int] = []
    for line, cells in some:
        if len(cells) == header.width:
            records.append(header.record(cells))
            lines.append(line)
        else:
            reading.faults.add(f"{name}:{line}", f"{len(cells)} cells, but the header has {header.width}")
    try:
        rows = msgspec.convert(records, list[Row])
    except msgspec.ValidationError:
        rows, lines = _convert_each(records, lines, name, reading)
    return PlacedRows(rows, lambda position: f"{name}:{lines[position]}", lambda _: header.names)


def _convert_each(
    records: Sequence[Record], lines: Sequence[int], name: str, reading: Reading
) -> tuple[list[Row], list[int]]:
    rows: list[Row] = []
    found: list[int] = []
    for line, record in zip(lines, records, strict=True):
        try:
            rows.append(msgspec.convert(record, Row))
            found.append(line)
        except msgspec.ValidationError as error:
            reading.faults.add(f"{name}:{line}", explain(record, str(error)))
    return rows, found


def _number(cell: str) -> Cell:
    """Return the number of a cell; one without stays text, which the row then refuses by name."""
    try:
        number = float(cell)
    except ValueError:
        return cell
    return number if math.isfinite(number) and "_" not in cell and cell.isascii() else cell


def _whole(cell: str) -> Cell:
    return int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 16 else _number(cell)


def _score(cell: str) -> Cell:
    answer = ANSWERS.get(cell.lower())
    return _number(cell) if answer is None else answer


CONVERTERS: dict[str, Callable[[str], Cell]] = {
    "latency_ms": _number,
    "ttft_ms": _number,
    "input_tokens": _whole,
    "output_tokens": _whole,
}
