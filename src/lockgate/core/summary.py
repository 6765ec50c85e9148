# SPDX-License-Identifier: Apache-2.0
"""Runs of one release as columns of whole numbers come in; the buckets that they add up to go out.

This is the one place where runs become tallies, whatever they were decoded from.
It judges nothing and drops nothing: whoever fills the columns has refused what cannot be meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lockgate.core.bucket import STATUSES, Bucket, Pairs
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.metric import SHARES, Worse, parse_metric
from lockgate.core.stats.micro import MICRO
from lockgate.core.tallies import STATUS_COLUMNS, CellName, Tallies, tally_values

Integers = NDArray[np.int64]
Codes = NDArray[np.int8]
Mask = NDArray[np.bool_]

Code = TypeVar("Code", np.int64, np.int8)

# Stands for "this run has no such value"; no value in micro-units comes near it.
ABSENT = int(np.iinfo(np.int64).min)
NONE = -1
NO, YES = 0, 1
OK, ERROR, TIMEOUT, CANCELLED = range(len(STATUSES))
_ONE = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Runs of one release, in the order in which they were read; every array has an entry for each run.

    `statuses` are indexes into STATUSES, or NONE. `values` are micro-units by field, or ABSENT.
    `answers` are YES, NO or NONE by the field of a score that says true or false.
    `parts` say which runs belong to a slice; every run belongs to the whole.
    """

    runs: int
    statuses: Codes
    values: Mapping[str, Integers] = field(default_factory=dict)
    answers: Mapping[str, Codes] = field(default_factory=dict)
    parts: Mapping[Slice, Mask] = field(default_factory=dict)

    def take(self, chosen: Mask) -> Columns:
        """Return the chosen runs."""
        # Places are several times faster than a mask that looks random.
        return self.take_at(np.flatnonzero(chosen))

    def take_at(self, places: NDArray[np.intp]) -> Columns:
        """Return the runs at some places, in their order."""
        return Columns(
            runs=places.size,
            statuses=self.statuses.take(places),
            values={name: column.take(places) for name, column in self.values.items()},
            answers={name: column.take(places) for name, column in self.answers.items()},
            parts={part: column.take(places) for part, column in self.parts.items()},
        )


def concatenate(batches: Sequence[Columns]) -> Columns:
    """Return the runs of all batches, one after another; a field that a batch lacks is absent there."""
    runs = [batch.runs for batch in batches]
    return Columns(
        runs=sum(runs),
        statuses=np.concatenate([batch.statuses for batch in batches]),
        values=_joined([batch.values for batch in batches], runs, np.int64(ABSENT)),
        answers=_joined([batch.answers for batch in batches], runs, np.int8(NONE)),
        parts={part: np.concatenate([batch.parts[part] for batch in batches]) for part in batches[0].parts},
    )


def _joined(
    columns: Sequence[Mapping[str, NDArray[Code]]], runs: Sequence[int], absent: Code
) -> dict[str, NDArray[Code]]:
    names = sorted({name for batch in columns for name in batch})
    sized = list(zip(columns, runs, strict=True))
    return {
        name: np.concatenate([batch[name] if name in batch else np.full(size, absent) for batch, size in sized])
        for name in names
    }


def summarize(columns: Columns, slices: Sequence[Slice] = (WHOLE,)) -> dict[Slice, Bucket]:
    """Return the bucket of each slice that has a run."""
    parts = {part: columns if part == WHOLE else columns.take(columns.parts[part]) for part in slices}
    return {part: tally(chosen, _ONE, (("", part),)).bucket(0) for part, chosen in parts.items() if chosen.runs}


def tally(columns: Columns, cell: Integers, cells: tuple[CellName, ...]) -> Tallies:
    """Return the tallies of some cells, given to which of them each run belongs; all of them may be told as one."""
    cell = np.broadcast_to(cell, columns.runs)
    codes = cell * STATUS_COLUMNS + (columns.statuses - NONE)
    return Tallies(
        cells=cells,
        statuses=np.bincount(codes, minlength=len(cells) * STATUS_COLUMNS).reshape(-1, STATUS_COLUMNS),
        events={
            name: _answered(answers, cell, len(cells))
            for name, answers in (("pass_rate", _passes(columns)), *columns.answers.items())
        },
        **tally_values(columns.values, cell, ABSENT),
    )


def _answered(answers: Codes, cell: Integers, size: int) -> Integers:
    """Return for each cell how many runs have an answer, and how many of them say no."""
    given = np.bincount(cell[answers != NONE], minlength=size)
    return np.stack([given, np.bincount(cell[answers == NO], minlength=size)], axis=1)


def _passes(columns: Columns) -> Codes:
    """Say of each run whether all its yes/no scores say yes; NONE without such a score."""
    result = np.full(columns.runs, NONE, np.int8)
    for answers in columns.answers.values():
        result = np.where(result == NONE, answers, np.where(answers == NO, answers, result))
    return result


def badness(columns: Columns, name: str) -> Integers:
    """Return how bad each run is in a field, larger being worse by the catalogue; ABSENT where it does not say."""
    if name in SHARES:
        return _failures(columns, name)
    column = columns.values.get(name)
    if column is None:
        return np.full(columns.runs, ABSENT, np.int64)
    if parse_metric(name).worse is Worse.HIGHER:
        return column
    return np.where(column == ABSENT, ABSENT, -column)


def _failures(columns: Columns, name: str) -> Integers:
    if name == "pass_rate":
        passes = _passes(columns)
        return np.where(passes == NONE, ABSENT, np.where(passes == NO, MICRO, 0))
    statuses = columns.statuses
    is_judged = (statuses != NONE) & (statuses != CANCELLED)
    is_failed = statuses == TIMEOUT if name == "timeout_rate" else (statuses == TIMEOUT) | (statuses == ERROR)
    return np.where(is_judged, np.where(is_failed, MICRO, 0), ABSENT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What one release answered to probes: each probe once, how bad by field, and the slices it belongs to."""

    probes: Sequence[str] = ()
    badness: Mapping[str, Integers] = field(default_factory=dict)
    parts: Mapping[Slice, Mask] = field(default_factory=dict)


def pair(
    baseline: Answers, candidate: Answers, fields: Sequence[str], slices: Sequence[Slice]
) -> dict[tuple[str, Slice], Pairs]:
    """Return how often the candidate lost, tied and won on the probes that both releases answered.

    A pair belongs to a slice when both of its runs do.
    """
    if not (baseline.probes and candidate.probes):
        return {(name, part): Pairs() for name in fields for part in slices}
    place = {probe: position for position, probe in enumerate(baseline.probes)}
    common = [(place[probe], position) for position, probe in enumerate(candidate.probes) if probe in place]
    left, right = np.array(common, np.intp).reshape(-1, 2).T
    result = {}
    for name in fields:
        before, after = baseline.badness[name][left], candidate.badness[name][right]
        is_both = (before != ABSENT) & (after != ABSENT)
        for part in slices:
            chosen = is_both if part == WHOLE else is_both & baseline.parts[part][left] & candidate.parts[part][right]
            result[name, part] = _compared(before[chosen], after[chosen])
    return result


def _compared(before: Integers, after: Integers) -> Pairs:
    return Pairs(
        losses=int(np.count_nonzero(after > before)),
        ties=int(np.count_nonzero(after == before)),
        wins=int(np.count_nonzero(after < before)),
    )
