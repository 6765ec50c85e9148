# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 -- names and texts of the file are quoted by `identifier` and `text`
"""A Parquet file whose columns are the fields of the run record comes in; batches of runs go out.

DuckDB reads ranges of rows, the next one while the one before is tallied. It may open this one file and nothing
else, loads no extension, and keeps to a bounded memory.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import duckdb
import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.batch import Batch, RunIds
from lockgate.adapters.decoders.file import RunFile, unreadable
from lockgate.adapters.decoders.parquet_columns import Layout, LayoutError, is_long, layout_of, text
from lockgate.adapters.decoders.parquet_rows import UNKNOWN, UNMEASURED, RowSpan, SoundSpan
from lockgate.adapters.decoders.reading import MAX_NAMES, MAX_RELEASES, Reading
from lockgate.adapters.decoders.row import MAX_SCORES, MAX_TEXT, MEASURABLE, RULES
from lockgate.adapters.decoders.row_columns import run_ids
from lockgate.core.bucket import STATUSES
from lockgate.core.intake import WHOLE
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.summary import NONE
from lockgate.errors import UsageError

Positions = NDArray[np.intp]

RANGE = 1 << 18
# Of so many fields a whole range is held at once; of more, fewer rows.
ROOMY_FIELDS = 64
ROW_NUMBER = "file_row_number"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "1GB",
    "temp_directory": "",
}


class Parquet:
    """Decodes Parquet."""

    mark_family = "duckdb"

    def decode(self, file: RunFile, reading: Reading) -> Iterator[Batch]:
        """Yield the runs of one file."""
        if file.is_compressed or not file.can_repeat:
            raise UsageError(f"{file.name} must be a plain file", advice="Parquet is read from its end.")
        try:
            with connect(file.path) as connection:
                yield from _Reader(connection, file, reading).batches()
        except LayoutError as error:
            raise reading.faults.fail(file.name, str(error)) from error
        except (duckdb.Error, RuntimeError, UnicodeDecodeError) as error:
            # A name that is no UTF-8 comes out of DuckDB as another error than its own.
            said = str(error).splitlines() or ["it is not Parquet"]
            raise unreadable(file.name, ValueError(said[0])) from error


def pattern_of(name: str) -> str:
    """Return a pattern that stands for this one file: what looks like a pattern in its name is meant as it stands."""
    path = os.path.abspath(name)  # noqa: PTH100 -- DuckDB reads ~, file: and http: at the start of a name
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"{name!r} is not UTF-8", advice="Rename the file; Parquet is read by name.") from error
    if os.sep != "\\" and "\\" in path and glob.has_magic(path):
        raise UsageError(
            f"{name} has a backslash and a mark of patterns in its name",
            advice="Rename the file; Parquet is read by name.",
        )
    return glob.escape(path)


def connect(path: str) -> duckdb.DuckDBPyConnection:
    """Return a connection that may read this one file and nothing else."""
    connection = duckdb.connect(":memory:", config=SETTINGS)
    # Statistics in a file's footer are somebody else's word, and would answer instead of its rows.
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    # The pattern stands for this one file, and has to be allowed beside it.
    allowed = (os.path.abspath(path), pattern_of(path))  # noqa: PTH100 -- DuckDB reads ~, file: and http: at the start of a name
    connection.execute(f"SET allowed_paths = [{', '.join(text(one) for one in allowed)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


class _Reader:
    """Reads one file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, file: RunFile, reading: Reading) -> None:
        self._connection = connection
        self._file = file
        self._pattern = text(pattern_of(file.path))
        self._reading = reading
        # A folder named `status=ok` would become a column, and win over the file's own.
        bare = f"read_parquet({self._pattern}, hive_partitioning = false"
        self._source = f"{bare}, {ROW_NUMBER} = true)"
        head = connection.execute(f"SELECT * FROM {bare}) LIMIT 0")
        if any(str(name).lower() == ROW_NUMBER for name, *_ in head.description):
            raise LayoutError(f"a column is named {ROW_NUMBER}, which stands for the place of a row; rename it")
        self._layout = layout_of([(str(name), kind) for name, kind, *_ in head.description], self._map_keys)
        self._select = self._selection(self._layout)
        reading.note_fields(str(name) for name, *_ in head.description)
        reading.note_labels(self._label_names() if reading.has_slices else ())

    def batches(self) -> Iterator[Batch]:
        """Yield the runs of both releases, range by range."""
        rows, step = self._extent()
        self._check_currency()
        self._count_releases(rows)
        ranges = [(start, min(start + step, rows)) for start in range(0, rows, step)]
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, *ranges[0]) if ranges else None
            for position in range(len(ranges)):
                assert ahead is not None
                part = ahead.result()
                if position + 1 < len(ranges):
                    ahead = reader.submit(self._read, *ranges[position + 1])
                yield from self._batches_of(part)
                self._reading.tell((self._file.size or 0) * part.stop // rows)

    def _selection(self, layout: Layout) -> str:
        """Return the SELECT list: fields by their place, because their names are somebody else's."""
        question = self._reading.question
        codes = " ".join(f"WHEN {text(status)} THEN {code}" for code, status in enumerate(STATUSES))
        columns = {
            "arm": f"CASE WHEN COALESCE({layout.release}, '') = '' OR {is_long(layout.release)} THEN {UNKNOWN} "
            f"WHEN {layout.release} = {text(question.baseline)} THEN 0 "
            f"WHEN {layout.release} = {text(question.candidate)} THEN 1 ELSE {NONE} END::TINYINT",
            "status": f"CASE {layout.status} {codes} ELSE {UNKNOWN} END::TINYINT",
            "has_status": f"{layout.status} IS NOT NULL",
            "has_id": f"COALESCE({layout.run_id}, '') <> ''",
            "mark": f"hash({layout.run_id})",
            "probe": layout.probe_id,
            "long_run_id": is_long(layout.run_id),
            "long_probe_id": is_long(layout.probe_id),
        }
        if layout.status is None:
            columns |= {"status": f"{NONE}::TINYINT", "has_status": "false"}
        if layout.run_id is None:
            columns |= {"has_id": "false", "mark": "0::UBIGINT"}
        if layout.probe_id is None or not question.paired_fields:
            columns["probe"] = "NULL::TINYINT"
        else:
            columns["probe"] = f"CASE WHEN {columns['long_probe_id']} THEN NULL ELSE {layout.probe_id} END"
        columns |= {f"f{place}": field.sql for place, field in enumerate(layout.fields)}
        columns |= {f"p{place}": layout.membership(part) for place, part in enumerate(question.slices) if part != WHOLE}
        return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())

    def _extent(self) -> tuple[int, int]:
        """Return how many rows there are, and how many to read at once: whole row groups where they are not huge."""
        metadata = f"parquet_metadata({self._pattern})"
        sizes = f"SELECT any_value(row_group_num_rows) AS size FROM {metadata} GROUP BY row_group_id"
        group, rows = self._connection.execute(f"SELECT max(size), sum(size) FROM ({sizes})").fetchall()[0]
        if not rows:
            return 0, RANGE
        room = RANGE * ROOMY_FIELDS // max(ROOMY_FIELDS, len(self._layout.fields))
        return int(rows), max(room // group, 1) * group if group <= 4 * room else room

    def _read(self, start: int, stop: int) -> RowSpan:
        part = RowSpan(start, stop, {})
        sql = f"SELECT {self._select} FROM {self._source} WHERE {part.rows}"
        read = RowSpan(start, stop, self._connection.cursor().execute(sql).fetchnumpy())
        if len(read.table["arm"]) != stop - start:
            raise LayoutError("its rows are not as many as its footer says")
        return read

    def _map_keys(self, column: str) -> Sequence[str]:
        keys = f"SELECT DISTINCT left(name, {MAX_TEXT}) AS name FROM ({self._keys_of(column)})"
        sql = f"{keys} ORDER BY name LIMIT {MAX_SCORES + 1}"
        names = [str(name) for (name,) in self._connection.execute(sql).fetchall()]
        if len(names) > MAX_SCORES:
            raise LayoutError(f"more than {MAX_SCORES:,} names of scores; at most so many are tallied")
        return names

    def _label_names(self) -> Sequence[str]:
        label_map = self._layout.label_map
        if label_map is None:
            return tuple(self._layout.labels)
        keys = f"SELECT DISTINCT left(name, {MAX_TEXT}) AS name FROM ({self._keys_of(label_map)})"
        names = self._connection.execute(f"{keys} ORDER BY name LIMIT {MAX_NAMES}").fetchall()
        return (*self._layout.labels, *(str(name) for (name,) in names))

    def _keys_of(self, column: str) -> str:
        return f"SELECT unnest(map_keys({column})) AS name FROM {self._source}"

    def _check_currency(self) -> None:
        layout, arms = self._layout, ", ".join(text(arm) for arm in sorted(self._reading.arms))
        cost = next((field.sql for field in layout.fields if field.name == "cost"), None)
        if layout.currency is None or cost is None:
            return
        those = f"{cost} IS NOT NULL AND {layout.release} IN ({arms})"
        # A WHERE would let the footer's statistics leave rows out.
        first = f"min({ROW_NUMBER}) FILTER ({those}) AS first"
        sql = f"SELECT left({layout.currency}, {MAX_TEXT}) AS name, {first} FROM {self._source} GROUP BY name"
        sql += " HAVING first IS NOT NULL ORDER BY first LIMIT 3"
        for currency, row in self._connection.execute(sql).fetchall():
            wrong = self._reading.currency_flaw(currency)
            if wrong:
                self._reading.faults.add(self._place(row), wrong)

    def _count_releases(self, rows: int) -> None:
        release, arms = self._layout.release, ", ".join(text(arm) for arm in sorted(self._reading.arms))
        counts_of = f"SELECT left({release}, {MAX_TEXT}) AS name, count(*), min({ROW_NUMBER}) AS first"
        order = f"COALESCE(name, '') NOT IN ({arms}), first LIMIT {MAX_RELEASES + 3}"
        sql = f"{counts_of} FROM {self._source} GROUP BY name ORDER BY {order}"
        counts = {name: count for name, count, _ in self._connection.execute(sql).fetchall() if name}
        self._reading.count_all(counts)
        if len(counts) > MAX_RELEASES:
            self._reading.count_rest(rows - sum(counts.values()))

    def _batches_of(self, part: RowSpan) -> Iterator[Batch]:
        sound = SoundSpan(part, self._layout, self._reading.question)
        self._report(part, sound)
        columns, ids = sound.columns(), self._ids(part)
        question = self._reading.question
        for code, release in enumerate(dict.fromkeys((question.baseline, question.candidate))):
            chosen = part.table["arm"] == code
            positions = np.flatnonzero(chosen)
            if positions.size:
                probes = part.texts("probe", positions) if question.paired_fields else None
                yield Batch(release, columns.take(chosen), chosen_ids(ids, positions), probes)

    def _ids(self, part: RowSpan) -> RunIds:
        if self._reading.is_mixed:
            return run_ids(self._texts(part))
        marks = np.asarray(np.ma.filled(part.table["mark"], 0)).view(np.int64)
        # The texts are fetched for a part with suspects only, and once for both releases.
        texts = cache(lambda: np.array(self._texts(part), object))
        is_given = np.asarray(part.table["has_id"], np.bool_)
        return RunIds(marks, is_given, lambda positions: [str(one) for one in texts()[positions]])

    def _texts(self, part: RowSpan) -> list[str | None]:
        if self._layout.run_id is None:
            return [None] * (part.stop - part.start)
        run_id = self._layout.run_id
        sql = f"SELECT CASE WHEN {is_long(run_id)} THEN NULL ELSE {run_id} END AS id"
        sql += f" FROM {self._source} WHERE {part.rows}"
        return RowSpan(part.start, part.stop, self._connection.cursor().execute(sql).fetchnumpy()).texts("id", None)

    def _report(self, part: RowSpan, sound: SoundSpan) -> None:
        """Report the flaws of a part in the order of its rows; the value is looked up for those that are shown."""
        faults = self._reading.faults
        flaws = sound.flaws()
        for position, name in flaws:
            if faults.is_full:
                break
            faults.add(self._place(part.start + position), self._what(name, part.start + position))
        else:
            return
        faults.count(len(flaws) - flaws.index((position, name)))

    def _what(self, name: str, row: int) -> str:
        if name == UNMEASURED:
            return f"no measurable field; give at least one of {', '.join(MEASURABLE)}"
        layout = self._layout
        texts = {name: getattr(layout, name) for name in ("release", "status", "run_id", "probe_id")}
        sql = {**texts, **{one.name: one.sql for one in layout.fields}}[name]
        query = f"SELECT left(CAST({sql} AS VARCHAR), 60) FROM {self._source} WHERE {ROW_NUMBER} = {row}"
        value = self._connection.execute(query).fetchall()[0][0]
        rule = RULES["scores" if name.startswith(SCORE_PREFIX) else name]
        return f"{name} is {'missing' if value is None else repr(value)}; it must be {rule}"

    def _place(self, row: int) -> str:
        return f"{self._file.name}:row {row + 1}"


def chosen_ids(ids: RunIds, positions: Positions) -> RunIds:
    """Return the ids of chosen rows."""
    return RunIds(ids.marks[positions], ids.is_given[positions], lambda some: ids.texts(positions[some]))
