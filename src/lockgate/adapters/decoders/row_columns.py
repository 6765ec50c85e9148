# SPDX-License-Identifier: Apache-2.0
"""Sound rows of one release come in; their columns of whole numbers, and the ids and probes of the runs, go out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.batch import Batch, RunIds
from lockgate.adapters.decoders.row import Row, ScoreObject
from lockgate.core.bucket import STATUSES
from lockgate.core.intake import WHOLE, Question, Slice
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.stats.micro import MICRO, from_float, from_text
from lockgate.core.summary import ABSENT, NONE, Codes, Columns, Integers, Mask

# A float below 2e12 micro-units is nearer than this to the decimal that it stands for, in micro-units.
_DOUBT = 0.001
_MAX_CERTAIN = 2_000_000_000_000
STATUS_CODES: dict[str | None, int] = {None: NONE, **{status: code for code, status in enumerate(STATUSES)}}
AMOUNTS = ("latency_ms", "ttft_ms")
COUNTS = ("input_tokens", "output_tokens")
_READ = {name: attrgetter(name) for name in (*AMOUNTS, *COUNTS, "cost", "status", "run_id", "probe_id", "scores")}


def batch_of(rows: Sequence[Row], release: str, question: Question) -> Batch:
    """Return the rows of one release as a batch."""
    probes = texts([row.probe_id for row in rows]) if question.paired_fields else None
    return Batch(release, columns_of(rows, question.slices), run_ids(texts([row.run_id for row in rows])), probes)


def columns_of(rows: Sequence[Row], slices: Sequence[Slice]) -> Columns:
    """Return the columns of rows."""
    values: dict[str, Integers] = {}
    for name in (*AMOUNTS, *COUNTS, "cost"):
        given = list(map(_READ[name], rows))
        if given and not (given[0] is None and given.count(None) == len(given)):
            values[name] = costs(given) if name == "cost" else amounts(given, is_whole=name in COUNTS)
    answers: dict[str, Codes] = {}
    _add_scores(rows, values, answers)
    statuses = np.fromiter(map(STATUS_CODES.__getitem__, map(_READ["status"], rows)), np.int8, len(rows))
    parts = {part: _in_slice(rows, part) for part in slices if part != WHOLE}
    return Columns(runs=len(rows), statuses=statuses, values=values, answers=answers, parts=parts)


def costs(given: Sequence[float | str | None] | NDArray[np.float64]) -> Integers:
    """Return costs as micro-units: the decimal that is written, or the shortest one that a float stands for."""
    floats = np.array(given, np.float64)
    result = micro_or_absent(floats)
    scaled = np.where(result == ABSENT, 0.0, floats * MICRO)
    is_doubtful = (np.abs(scaled - np.rint(scaled)) > 0.5 - _DOUBT) | (scaled > _MAX_CERTAIN)
    for position in np.flatnonzero(is_doubtful).tolist():
        number = given[position]
        result[position] = from_text(number if isinstance(number, str) else repr(float(number or 0.0)))
    return result


def micro_or_absent(floats: NDArray[np.float64]) -> Integers:
    """Return floats as micro-units; not a number means absent."""
    is_absent = np.isnan(floats)
    if not is_absent.any():
        return from_float(floats)
    result = from_float(np.where(is_absent, 0.0, floats))
    result[is_absent] = ABSENT
    return result


def run_ids(texts: Sequence[str | None]) -> RunIds:
    """Return run ids with marks that equal ids share."""
    marks = np.fromiter(map(hash, texts), np.int64, len(texts))
    is_given = np.ones(len(texts), np.bool_) if None not in texts else np.array([text is not None for text in texts])
    return RunIds(marks, is_given, lambda positions: [str(texts[position]) for position in positions.tolist()])


def amounts(given: list[float | None], *, is_whole: bool) -> Integers:
    """Return numbers as micro-units."""
    floats = np.array(given, np.float64)
    if not is_whole:
        return micro_or_absent(floats)
    is_absent = np.isnan(floats)
    return np.where(is_absent, ABSENT, np.where(is_absent, 0.0, floats).astype(np.int64) * MICRO)


def texts(ids: list[str | int | None]) -> list[str | None]:
    """Return ids as text; an empty one is none."""
    if set(map(type, ids)) == {str} and "" not in ids:
        return cast("list[str | None]", ids)
    return [None if one in (None, "") else str(one) for one in ids]


def _add_scores(rows: Sequence[Row], values: dict[str, Integers], answers: dict[str, Codes]) -> None:
    scores = [row.scores or {} for row in rows]
    for name in sorted(set(chain.from_iterable(scores))):
        add_score(name, [score.get(name) for score in scores], values, answers)


def add_score(name: str, given: list[Any], values: dict[str, Integers], answers: dict[str, Codes]) -> None:
    """Add the columns of one score."""
    kinds = set(map(type, given))
    if ScoreObject in kinds:
        given = [one.value if isinstance(one, ScoreObject) else one for one in given]
        kinds = set(map(type, given))
    if kinds <= {type(None)}:
        return
    if kinds == {bool}:
        answers[f"{SCORE_PREFIX}{name}"] = codes = np.frombuffer(bytes(given), np.int8)
        values[f"{SCORE_PREFIX}{name}"] = codes.astype(np.int64) * MICRO
        return
    values[f"{SCORE_PREFIX}{name}"] = micro_or_absent(np.array(given, np.float64))
    if bool in kinds:
        told = [int(one) if isinstance(one, bool) else NONE for one in given]
        answers[f"{SCORE_PREFIX}{name}"] = np.array(told, np.int8)


def _in_slice(rows: Sequence[Row], part: Slice) -> Mask:
    wanted = dict(part)
    belongs = (
        row.labels is not None and all(row.labels.get(label) == value for label, value in wanted.items())
        for row in rows
    )
    return np.fromiter(belongs, np.bool_, len(rows))
