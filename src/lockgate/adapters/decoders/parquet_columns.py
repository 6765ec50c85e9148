# SPDX-License-Identifier: Apache-2.0
"""The columns of a Parquet file and their types come in; the SQL of each field of the run record goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from duckdb.sqltypes import DuckDBPyType

from lockgate.adapters.decoders.row import MAX_SCORES, MAX_TEXT, MEASURABLE, RULES, SCORE_NAMES, hint, is_score_name
from lockgate.core.intake import Slice
from lockgate.core.metric import SCORE_PREFIX

INTEGERS = frozenset("tinyint smallint integer bigint utinyint usmallint uinteger".split())
NUMBERS = INTEGERS | frozenset("ubigint hugeint uhugeint float double decimal".split())
WHOLES = INTEGERS | {"ubigint", "hugeint"}
TEXT = "varchar"
NOTHING = "null"
# Beyond so many columns a table is a mistake, and takes minutes to say so.
MAX_COLUMNS = 10_000
# A decimal of so many digits is the shortest that the nearest double stands for.
MAX_CERTAIN_DIGITS = 15


class Form(Enum):
    """How a column of numbers arrives."""

    AMOUNT = auto()
    WHOLE = auto()
    COST = auto()
    COST_TEXT = auto()
    SCORE = auto()
    ANSWER = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, the SQL that reads it, and the form of what comes."""

    name: str
    sql: str
    form: Form


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file holds what; None where it does not."""

    release: str
    status: str | None
    run_id: str | None
    probe_id: str | None
    currency: str | None
    fields: tuple[Field, ...]
    labels: Mapping[str, str]
    label_map: str | None

    def membership(self, part: Slice) -> str:
        """Return the SQL of whether a run belongs to a slice."""
        return " AND ".join(f"COALESCE({self._label(name)} = {text(value)}, false)" for name, value in part)

    def _label(self, name: str) -> str:
        if name in self.labels:
            return self.labels[name]
        return f"{self.label_map}[{text(name)}]" if self.label_map else "NULL::VARCHAR"


class LayoutError(Exception):
    """A column cannot be meant; the message says which and why."""


def identifier(name: str) -> str:
    """Quote a column's name."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a text."""
    return "'" + value.replace("'", "''") + "'"


def is_long(column: str | None) -> str:
    """Return the SQL of whether a text is longer than any that is kept; it looks at few bytes of a long one."""
    if column is None:
        return "false"
    bytes_of = f"strlen({column})"
    return (
        f"COALESCE(CASE WHEN {bytes_of} <= {MAX_TEXT} THEN false WHEN {bytes_of} > {4 * MAX_TEXT} THEN true "
        f"ELSE length({column}) > {MAX_TEXT} END, false)"
    )


def layout_of(columns: Sequence[tuple[str, DuckDBPyType]], map_keys: Callable[[str], Sequence[str]]) -> Layout:
    """Return where a file holds what; `map_keys` looks up the keys of a map column."""
    if len(columns) > MAX_COLUMNS:
        raise LayoutError(f"more than {MAX_COLUMNS:,} columns; at most so many are read")
    types = {name: kind for name, kind in columns if kind.id != NOTHING}
    if "release" not in types:
        raise LayoutError(f"there is no column release{hint(types, ('release',))}")
    labels, label_map = _labels(types)
    fields = (*_numbers(types), *_scores(types, map_keys))
    names = [field.name for field in fields]
    for name, count in Counter(names).items():
        if count > 1:
            raise LayoutError(f"{name} is given twice")
    if sum(name.startswith(SCORE_PREFIX) for name in names) > MAX_SCORES:
        raise LayoutError(f"more than {MAX_SCORES:,} names of scores; at most so many are tallied")
    status = _text_column(types, "status")
    if not fields and status is None:
        raise LayoutError(f"no measurable column{hint(types, MEASURABLE)}")
    return Layout(
        release=_release_column(types["release"]),
        status=status,
        run_id=_id_column(types, "run_id"),
        probe_id=_id_column(types, "probe_id"),
        currency=_text_column(types, "currency"),
        fields=fields,
        labels=labels,
        label_map=label_map,
    )


def _release_column(kind: DuckDBPyType) -> str:
    if kind.id in WHOLES:
        return f"CAST({identifier('release')} AS VARCHAR)"
    return _text_column({"release": kind}, "release") or ""


def _text_column(types: Mapping[str, DuckDBPyType], name: str) -> str | None:
    kind = types.get(name)
    if kind is None:
        return None
    if kind.id != TEXT:
        raise _wrong(name, kind)
    return identifier(name)


def _id_column(types: Mapping[str, DuckDBPyType], name: str) -> str | None:
    kind = types.get(name)
    if kind is None:
        return None
    if kind.id not in (TEXT, "uuid") and kind.id not in WHOLES:
        raise _wrong(name, kind)
    return f"CAST({identifier(name)} AS VARCHAR)"


def _numbers(types: Mapping[str, DuckDBPyType]) -> Iterator[Field]:
    for name in ("latency_ms", "ttft_ms", "input_tokens", "output_tokens", "cost"):
        kind = types.get(name)
        if kind is None:
            continue
        column = identifier(name)
        if name == "cost" and _needs_text(kind):
            # What is cut short is no decimal any more, and is refused as it stands.
            cut = f"left({column}, {MAX_TEXT}) || '…'"
            sql = f"CASE WHEN {is_long(column)} THEN {cut} ELSE {column} END" if kind.id == TEXT else column
            yield Field(name, f"CAST({sql} AS VARCHAR)", Form.COST_TEXT)
        elif kind.id not in NUMBERS:
            raise _wrong(name, kind)
        else:
            form = Form.COST if name == "cost" else Form.WHOLE if name.endswith("_tokens") else Form.AMOUNT
            yield Field(name, f"CAST({column} AS DOUBLE)", form)


def _needs_text(kind: DuckDBPyType) -> bool:
    if kind.id == "decimal":
        return int(str(dict(kind.children)["precision"])) > MAX_CERTAIN_DIGITS
    return kind.id == TEXT


def _scores(types: Mapping[str, DuckDBPyType], map_keys: Callable[[str], Sequence[str]]) -> Iterator[Field]:
    for column, kind in types.items():
        if column.startswith(SCORE_PREFIX):
            yield from _score(column.removeprefix(SCORE_PREFIX), identifier(column), kind)
    whole = types.get("scores")
    if whole is None:
        return
    if whole.id == "struct":
        for name, kind in members_of(whole):
            yield from _score(name, f"struct_extract({identifier('scores')}, {text(name)})", kind)
    elif whole.id == "map" and members_of(whole)[0][1].id == TEXT:
        for name in map_keys(identifier("scores")):
            yield from _score(name, f"{identifier('scores')}[{text(name)}]", members_of(whole)[1][1])
    else:
        raise _wrong("scores", whole)


def _score(name: str, sql: str, kind: DuckDBPyType) -> Iterator[Field]:
    if not is_score_name(name):
        raise LayoutError(f"a score is named {name[:60]!r}; names are made of {SCORE_NAMES}")
    if kind.id == "struct":
        members = dict(members_of(kind))
        if "value" not in members:
            raise _wrong("scores", kind)
        sql, kind = f"struct_extract({sql}, 'value')", members["value"]
    if kind.id == NOTHING:
        return
    if kind.id == "boolean":
        yield Field(f"{SCORE_PREFIX}{name}", f"CAST({sql} AS DOUBLE)", Form.ANSWER)
    elif kind.id in NUMBERS:
        yield Field(f"{SCORE_PREFIX}{name}", f"CAST({sql} AS DOUBLE)", Form.SCORE)
    else:
        raise _wrong("scores", kind)


def _labels(types: Mapping[str, DuckDBPyType]) -> tuple[dict[str, str], str | None]:
    """Return the SQL of each label that has a place of its own, and of the map that holds them all."""
    found: dict[str, tuple[str, DuckDBPyType]] = {
        column.removeprefix("labels."): (identifier(column), kind)
        for column, kind in types.items()
        if column.startswith("labels.")
    }
    whole = types.get("labels")
    if whole is not None and whole.id == "struct":
        found |= {
            name: (f"struct_extract({identifier('labels')}, {text(name)})", kind) for name, kind in members_of(whole)
        }
    elif whole is not None and (whole.id != "map" or any(kind.id != TEXT for _, kind in members_of(whole))):
        raise _wrong("labels", whole)
    for _, kind in found.values():
        if kind.id not in (TEXT, NOTHING):
            raise _wrong("labels", kind)
    is_map = whole is not None and whole.id == "map"
    return {name: sql for name, (sql, kind) in found.items() if kind.id == TEXT}, identifier(
        "labels"
    ) if is_map else None


def members_of(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the members of a struct, or key and value of a map."""
    return [(name, member) for name, member in kind.children if isinstance(member, DuckDBPyType)]


def _wrong(name: str, kind: DuckDBPyType) -> LayoutError:
    return LayoutError(f"column {name} is of type {str(kind)[:60]}; it must be {RULES[name]}")
