# SPDX-License-Identifier: Apache-2.0
"""Some rows of a Parquet file as arrays come in; their flaws, and the columns of the sound ones, go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.parquet_columns import Field, Form, Layout
from lockgate.adapters.decoders.row import is_decimal
from lockgate.adapters.decoders.row_columns import costs, micro_or_absent
from lockgate.core.intake import WHOLE, Question
from lockgate.core.stats.micro import MAX_ABS, MICRO
from lockgate.core.summary import ABSENT, NONE, Codes, Columns, Integers, Mask

UNKNOWN = -2
UNMEASURED = "unmeasured"
_NOTHING = np.array(None, object)


@dataclass(frozen=True, slots=True)
class RowSpan:
    """Rows from `start` to before `stop`, as arrays by name; masked where there is nothing."""

    start: int
    stop: int
    table: Mapping[str, NDArray[Any]]

    @property
    def rows(self) -> str:
        """Return the SQL condition of these rows."""
        return f"file_row_number >= {self.start} AND file_row_number < {self.stop}"

    def absent(self, name: str) -> Mask:
        """Return where a column says nothing."""
        return np.ma.getmaskarray(self.table[name])

    def floats(self, name: str) -> NDArray[np.float64]:
        """Return a column of numbers, with 0 where it says nothing."""
        return np.asarray(np.ma.filled(self.table[name], 0.0), np.float64)

    def texts(self, name: str, positions: NDArray[np.intp] | None) -> list[str | None]:
        """Return texts of chosen rows, or of all; an empty one is none."""
        column = np.where(self.absent(name), _NOTHING, np.ma.getdata(self.table[name]).astype(object))
        return [one or None for one in (column if positions is None else column[positions]).tolist()]


class SoundSpan:
    """The rows of one part, checked."""

    def __init__(self, part: RowSpan, layout: Layout, question: Question) -> None:
        self._part = part
        self._layout = layout
        self._question = question
        self._names = {f"f{place}": field for place, field in enumerate(layout.fields)}
        self._absent = {name: part.absent(name) for name in self._names}
        self._bad = {name: self._flawed(name, field) for name, field in self._names.items()}

    def flaws(self) -> list[tuple[int, str]]:
        """Return position and field of every flaw, in the order of rows."""
        table = self._part.table
        found = {
            "release": table["arm"] == UNKNOWN,
            "status": np.asarray(table["has_status"], np.bool_) & (table["status"] == UNKNOWN),
            "run_id": np.asarray(table["long_run_id"], np.bool_),
            "probe_id": np.asarray(table["long_probe_id"], np.bool_),
            UNMEASURED: self._unmeasured(),
            **{self._names[name].name: bad for name, bad in self._bad.items()},
        }
        return sorted((position, name) for name, bad in found.items() for position in np.flatnonzero(bad).tolist())

    def columns(self) -> Columns:
        """Return the columns of all rows; flawed values are absent."""
        part = self._part
        statuses = np.where(part.table["status"] == UNKNOWN, NONE, part.table["status"]).astype(np.int8)
        values: dict[str, Integers] = {}
        answers: dict[str, Codes] = {}
        for name, field in self._names.items():
            is_none = self._absent[name] | self._bad[name]
            if is_none.all():
                continue
            values[field.name] = self._micro(name, field, is_none)
            if field.form is Form.ANSWER:
                answers[field.name] = np.where(is_none, NONE, part.floats(name)).astype(np.int8)
        parts = {
            chosen: np.asarray(part.table[f"p{place}"], np.bool_)
            for place, chosen in enumerate(self._question.slices)
            if chosen != WHOLE
        }
        return Columns(runs=part.stop - part.start, statuses=statuses, values=values, answers=answers, parts=parts)

    def _micro(self, name: str, field: Field, is_none: Mask) -> Integers:
        if field.form is Form.COST_TEXT:
            texts = self._part.texts(name, None)
            return costs([None if none else one for one, none in zip(texts, is_none.tolist(), strict=True)])
        floats = self._part.floats(name)
        if field.form is Form.WHOLE:
            return np.where(is_none, ABSENT, np.where(is_none, 0.0, floats).astype(np.int64) * MICRO)
        known = np.where(is_none, np.nan, floats) if is_none.any() else floats
        return costs(known) if field.form is Form.COST else micro_or_absent(known)

    def _flawed(self, name: str, field: Field) -> Mask:
        absent = self._absent[name]
        if field.form is Form.COST_TEXT:
            texts = self._part.texts(name, None)
            return np.fromiter((one is not None and not is_decimal(one) for one in texts), np.bool_, len(texts))
        floats = self._part.floats(name)
        low = -MAX_ABS if field.form is Form.SCORE else 0.0
        # A comparison with no-number is false, so it is flawed too.
        bad = ~((floats >= low) & (floats <= MAX_ABS))
        if field.form is Form.WHOLE:
            bad |= np.floor(floats) != floats
        return bad & ~absent

    def _unmeasured(self) -> Mask:
        result = ~np.asarray(self._part.table["has_status"], np.bool_)
        for absent in self._absent.values():
            if not result.any():
                break
            result &= absent
        return result
