# SPDX-License-Identifier: Apache-2.0
"""A CSV file whose header names the fields of the run record comes in; batches of runs go out.

A score is a column `scores.NAME`, a label a column `labels.NAME`; an empty cell says nothing.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from lockgate.adapters.decoders.batch import Batch
from lockgate.adapters.decoders.csv_table import Table
from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import RunFile
from lockgate.adapters.decoders.lines import TOO_LONG, LongLineError
from lockgate.adapters.decoders.ndjson import NOT_UTF8
from lockgate.adapters.decoders.reading import Reading
from lockgate.adapters.decoders.row import MEASURABLE, RULES, Row, explain, hint
from lockgate.adapters.decoders.row_batches import PlacedRows, batches
from lockgate.core.wording import count_text

MAX_COLUMNS = 10_000
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
        fields = self._converted(rows)
        absent = [None] * len(rows)
        return list(zip(*(fields.get(name, absent) for name in FIELDS), strict=True))

    def records(self, rows: Sequence[Sequence[str]]) -> list[dict[str, object]]:
        """Return rows by field, without what they leave empty."""
        fields = self._converted(rows)
        return [
            {name: value for name, value in zip(fields, map(_stated, row), strict=True) if value is not None}
            for row in zip(*fields.values(), strict=True)
        ]

    def _converted(self, rows: Sequence[Sequence[str]]) -> dict[str, Sequence[object]]:
        columns = list(zip(*rows, strict=True))
        fields: dict[str, Sequence[object]] = {name: convert(columns[place]) for place, name, convert in self.plain}
        for group, members in self.groups.items():
            names = [name for _, name, _ in members]
            values = [convert(columns[place]) for place, _, convert in members]
            fields[group] = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        return fields


class CsvRuns:
    """Decodes comma-, semicolon- or tab-separated values."""

    mark_family = "python"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        with file.open() as stream:
            table = Table(stream.bytes)
            try:
                yield from _batches(table, file.name, reading, lambda: reading.tell(stream.done()))
            except LongLineError as error:
                raise reading.faults.fail(f"{file.name}:{error.line}", TOO_LONG) from error
            except UnicodeDecodeError as error:
                raise reading.faults.fail(f"{file.name}:{table.line}", NOT_UTF8) from error
            except csv.Error as error:
                raise reading.faults.fail(f"{file.name}:{table.line}", f"not CSV: {error}") from error


def _batches(table: Table, file: str, reading: Reading, tell: Callable[[], None]) -> Iterator[Batch]:
    names = table.header()
    if not names:
        return
    header = header_of(names, f"{file}:{table.line}", reading.faults)
    for some in table.batches():
        yield from batches(_decode(some, header, file, reading), reading)
        tell()


def header_of(
    names: list[str], place: str, faults: Faults, groups: Sequence[str] = GROUPS, *, whole: bool = False
) -> Header:
    """Return where a table holds which field: those that are measured, or the `whole` of what it has."""
    if len(names) > MAX_COLUMNS:
        raise faults.fail(place, f"more than {MAX_COLUMNS:,} columns; at most so many are read")
    twice = sorted(column for column, count in Counter(names).items() if count > 1 and column)
    if twice:
        raise faults.fail(place, f"two columns are named {twice[0]}")
    if "release" not in names:
        raise faults.fail(place, f"there is no column release{hint(names, ('release',))}")
    for group in groups:
        if group in names:
            raise faults.fail(place, f"{group} cannot be one column; write a column {group}.NAME for each")
    grouped = {
        group: tuple(
            (place, name.removeprefix(f"{group}."), _scores if group == "scores" else _texts)
            for place, name in enumerate(names)
            if name.startswith(f"{group}.")
        )
        for group in groups
    }
    held = {group: members for group, members in grouped.items() if members}
    plain = tuple(
        (place, name, CONVERTERS.get(name, _texts))
        for place, name in enumerate(names)
        if name in RULES or (whole and name and name.partition(".")[0] not in groups)
    )
    if not {*held, *(name for _, name, _ in plain)} & set(MEASURABLE):
        raise faults.fail(place, f"no measurable column{hint(names, MEASURABLE)}")
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
            reading.faults.add(f"{file}:{line}", partial(explain, record, str(error)))
    return rows, found


def _stated(value: object) -> object:
    """Return a value without the members of a group that say nothing; None if none says anything."""
    if not isinstance(value, dict):
        return value
    return {name: member for name, member in value.items() if member is not None} or None


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
