# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 -- names and texts of the file are quoted by `identifier` and `text`
"""A Parquet file comes in; its rows go out as texts of JSON, with the fields that the record of a run has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import msgspec
from duckdb.sqltypes import DuckDBPyType

from lockgate.adapters.decoders.faults import Faults
from lockgate.adapters.decoders.file import RunFile, unreadable
from lockgate.adapters.decoders.lines import MAX_LINE
from lockgate.adapters.decoders.parquet import ROW_NUMBER, connect, pattern_of
from lockgate.adapters.decoders.parquet_columns import (
    NOTHING,
    TEXT,
    Form,
    Layout,
    LayoutError,
    identifier,
    layout_of,
    members_of,
    text,
)
from lockgate.adapters.decoders.records import Placed
from lockgate.adapters.decoders.row import MAX_SCORES
from lockgate.core.metric import SCORE_PREFIX
from lockgate.errors import UsageError

RANGE = 1 << 16
SOME = 1_000
TEXTS = ("app_id", "error_type", "unit_id", "environment")
NEVER = (1 << 63) - 1
TOO_LONG = "the run is longer than 1 MiB"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder()

# A member of a record: the group and its name there, or none and the name of a field; its SQL, and how it is written.
Member = tuple[str | None, str, str, Callable[[Any], object]]


class ParquetRecords:
    """Reads Parquet; a time without a zone is in UTC."""

    def read(self, file: RunFile, faults: Faults) -> Iterator[Sequence[Placed]]:
        """Yield the rows of one file."""
        if file.is_compressed or not file.can_repeat:
            raise UsageError(f"{file.name} must be a plain file", advice="Parquet is read from its end.")
        try:
            with connect(file.path) as connection:
                yield from _read(connection, file, faults)
        except LayoutError as error:
            raise faults.fail(file.name, str(error)) from error
        except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
            # A name that is no UTF-8 comes out of DuckDB as another error than its own.
            said = str(error).splitlines() or ["it is not Parquet"]
            raise unreadable(file.name, ValueError(said[0])) from error


def _read(connection: duckdb.DuckDBPyConnection, file: RunFile, faults: Faults) -> Iterator[Sequence[Placed]]:
    # A folder named `status=ok` would become a column, and win over the file's own.
    bare = f"read_parquet({text(pattern_of(file.path))}, hive_partitioning = false"
    source = f"{bare}, {ROW_NUMBER} = true)"
    head = connection.execute(f"SELECT * FROM {bare}) LIMIT 0")
    columns = [(str(name), kind) for name, kind, *_ in head.description]
    if any(name.lower() == ROW_NUMBER for name, _ in columns):
        raise LayoutError(f"a column is named {ROW_NUMBER}, which stands for the place of a row; rename it")

    def map_keys(column: str) -> Sequence[str]:
        keys = f"SELECT DISTINCT unnest(map_keys({column})) AS name FROM {source} ORDER BY name LIMIT {MAX_SCORES + 1}"
        return [str(name) for (name,) in connection.execute(keys).fetchall()]

    members = (*_measured(layout_of(columns, map_keys)), *_further(dict(columns)))
    select = ", ".join(sql for _, _, sql, _ in members)
    rows = connection.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0]
    for start in range(0, rows, RANGE):
        where = f"{ROW_NUMBER} >= {start} AND {ROW_NUMBER} < {start + RANGE} ORDER BY {ROW_NUMBER}"
        found = connection.cursor().execute(f"SELECT {select} FROM {source} WHERE {where}")
        first = start + 1
        while some := found.fetchmany(SOME):
            yield _placed(some, members, file.name, first, faults)
            first += len(some)


def _placed(
    some: Sequence[tuple[Any, ...]], members: Sequence[Member], name: str, first: int, faults: Faults
) -> list[Placed]:
    placed = []
    for number, row in enumerate(some, first):
        line = _ENCODER.encode(_record(row, members))
        if len(line) > MAX_LINE:
            faults.add(f"{name}:row {number}", TOO_LONG)
        else:
            placed.append(Placed(f"{name}:row {number}", line))
    return placed


def _record(row: Sequence[Any], members: Sequence[Member]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for value, (group, name, _, write) in zip(row, members, strict=True):
        if value is None:
            continue
        if group is None:
            record[name] = write(value)
        else:
            record.setdefault(group, {})[name] = write(value)
    return record


def _measured(layout: Layout) -> Iterator[Member]:
    texts = {name: getattr(layout, name) for name in ("release", "run_id", "probe_id", "status", "currency")}
    for name, sql in texts.items():
        if sql is not None:
            yield None, name, sql, str
    for field in layout.fields:
        group = "scores" if field.name.startswith(SCORE_PREFIX) else None
        yield group, field.name.removeprefix(SCORE_PREFIX), field.sql, _WRITERS.get(field.form, _number)
    for name, sql in layout.labels.items():
        yield "labels", name, sql, str
    if layout.label_map is not None:
        yield None, "labels", layout.label_map, _mapping


def _further(types: Mapping[str, DuckDBPyType]) -> Iterator[Member]:
    """Yield what a run says that is not measured."""
    for name in TEXTS:
        if name in types and _checked(name, types[name]):
            yield None, name, identifier(name), str
    for name, kind in types.items():
        if name.startswith("flags.") and _checked(name, kind):
            yield "flags", name.removeprefix("flags."), identifier(name), str
    yield from _flag_column(types.get("flags"))
    yield from _time_column(types.get("started_at"))


def _flag_column(kind: DuckDBPyType | None) -> Iterator[Member]:
    if kind is None or kind.id == NOTHING:
        return
    if kind.id not in ("map", "struct") or any(each.id != TEXT for _, each in members_of(kind)):
        raise LayoutError(f"column flags is of type {str(kind)[:60]}; it must be names with text")
    yield None, "flags", identifier("flags"), _mapping


def _time_column(kind: DuckDBPyType | None) -> Iterator[Member]:
    column = identifier("started_at")
    if kind is None:
        return
    if str(kind.id).startswith("timestamp"):
        # The engine gives none for the time that never comes, which is not the time of a run without one.
        never = f"{column} IS NOT NULL AND NOT isfinite({column})"
        yield None, "started_at", f"CASE WHEN {never} THEN {NEVER} ELSE epoch_us({column}) END", _instant
    elif _checked("started_at", kind):
        yield None, "started_at", column, str


def _checked(name: str, kind: DuckDBPyType) -> bool:
    if kind.id not in (TEXT, NOTHING):
        must = "a timestamp, or text" if name == "started_at" else "text"
        raise LayoutError(f"column {name} is of type {str(kind)[:60]}; it must be {must}")
    return bool(kind.id == TEXT)


def _number(value: float) -> object:
    # JSON has no other numbers; as text they are refused by name.
    return value if math.isfinite(value) else str(value)


def _whole(value: float) -> object:
    return int(value) if math.isfinite(value) and value.is_integer() else _number(value)


def _mapping(value: Mapping[str, str | None]) -> object:
    return {name: member for name, member in value.items() if member is not None} or None


def _instant(micros: int) -> str:
    if micros == NEVER:
        return "infinity"
    try:
        return (_EPOCH + timedelta(microseconds=micros)).isoformat()
    except OverflowError:
        return f"{micros} microseconds after 1970"


_WRITERS: Mapping[Form, Callable[[Any], object]] = {
    Form.ANSWER: bool,
    Form.WHOLE: _whole,
    Form.COST_TEXT: str,
}
