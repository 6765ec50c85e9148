# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON of one layout come in; their runs go out as columns, or nothing when they need a closer look.

No object is made of a run. What comes out is what decoding row by row gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.row import ScoreNames
from lockgate.adapters.decoders.row_columns import AMOUNTS, COUNTS
from lockgate.adapters.decoders.start_times import instants_of
from lockgate.adapters.decoders.stored_layout import Kind, Layout, Path, layout_of
from lockgate.adapters.decoders.stored_lines import Lines, lines_of
from lockgate.core.bucket import STATUSES
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.stats.micro import MICRO
from lockgate.core.summary import ABSENT, NONE, Codes, Columns, Integers

# So many parts of a body are at most read the general way before a layout is looked for again.
MAX_REST = 64
_TRUTHS = "false", "true"
_COST: Path = ("cost",)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaidOut:
    """Runs of one layout: columns, ids and probes, and of which of `whose` (app, release and labels) each is."""

    columns: Columns
    whose: Sequence[tuple[str | None, str, Mapping[str, str]]]
    which: NDArray[np.intp]
    started_at: Integers
    ids: Sequence[str | None]
    probes: Sequence[str | None]


class LaidOutRuns:
    """Reads parts of bodies whose lines have one layout, and remembers the layout that the last ones had."""

    def __init__(self) -> None:
        self._layout: Layout | None = None
        self._rest = self._misses = 0

    def read(self, body: bytes, first: int, last: int, names: ScoreNames) -> LaidOut | None:
        """Return the runs of some lines, or None when they are not all of one layout or one needs a closer look."""
        if self._rest:
            self._rest -= 1
            return None
        found = self._read(body, first, last, names)
        # To look in vain costs a part of what the general way does.
        self._misses = 0 if found else min(2 * self._misses + 1, MAX_REST)
        self._rest = self._misses
        return found

    def _read(self, body: bytes, first: int, last: int, names: ScoreNames) -> LaidOut | None:
        # Another thread may learn another layout meanwhile.
        layout = self._layout
        lines = layout and lines_of(body, first, last, layout)
        if lines is None:
            end = body.find(b"\n", first, last)
            learned = layout_of(body[first : last if end < 0 else end])
            if learned is None or learned == layout:
                return None
            self._layout = layout = learned
            lines = lines_of(body, first, last, layout)
        return _runs(lines, layout, names) if lines and layout else None


def _runs(lines: Lines, layout: Layout, names: ScoreNames) -> LaidOut | None:
    columns = _columns(lines, layout, names)
    owners = [place for path, place in layout.places.items() if path[0] in ("app_id", "release", "labels")]
    apart = lines.told_apart(owners)
    started_at = _started_at(lines, layout)
    if columns is None or apart is None or started_at is None:
        return None
    firsts, which = apart
    whose = []
    paths = [layout.values[place].path for place in owners]
    for texts in lines.texts_at(owners, firsts):
        said = dict(zip(paths, texts, strict=True))
        labels = {path[1]: text for path, text in said.items() if path[0] == "labels"}
        whose.append((said.get(("app_id",)), said[("release",)], labels))
    if any(release == "" for _, release, _ in whose):
        return None
    ids, probes = (_texts(lines, layout, name) for name in ("run_id", "probe_id"))
    return LaidOut(columns=columns, whose=whose, which=which, started_at=started_at, ids=ids, probes=probes)


def _columns(lines: Lines, layout: Layout, names: ScoreNames) -> Columns | None:
    """Return the columns of lines; None when a value is not written the plain way, or no field is measured."""
    values, answers = _numbers(lines, layout), _answers(lines, layout)
    place = layout.places.get(("status",))
    runs = lines.starts.shape[1]
    statuses = np.full(runs, NONE, np.int8) if place is None else lines.which(place, STATUSES)
    if values is None or answers is None or statuses is None:
        return None
    values |= {path: told.astype(np.int64) * MICRO for path, told in answers.items()}
    read = {path: _column(path) for path in values if _is_measured(path)}
    if place is None and not read:
        return None
    if any(names.flaw((path[1],)) for path in read if path[0] == "scores"):
        return None
    return Columns(
        runs=runs,
        statuses=statuses,
        values={column: values[path] for path, column in read.items()},
        answers={column: answers[path] for path, column in read.items() if path in answers},
    )


def _numbers(lines: Lines, layout: Layout) -> dict[Path, Integers] | None:
    """Return the micro-units of all numbers, also of those that no field has: all must be as JSON writes them."""
    places = [place for place, value in enumerate(layout.values) if value.kind is Kind.NUMBER or value.path == _COST]
    if not places:
        return {}
    paths = [layout.values[place].path for place in places]
    found = lines.decimals(places)
    if found is None:
        return None
    columns, has_point = found
    if any(path[0] in COUNTS and points.any() for path, points in zip(paths, has_point, strict=True)):
        return None
    return dict(zip(paths, columns, strict=True))


def _answers(lines: Lines, layout: Layout) -> dict[Path, Codes] | None:
    """Return the codes of all that is true or false."""
    answers = {}
    for place, value in enumerate(layout.values):
        if value.kind is Kind.ANSWER:
            told = lines.which(place, _TRUTHS)
            if told is None:
                return None
            answers[value.path] = told
    return answers


def _is_measured(path: Path) -> bool:
    return path[0] == "scores" or (len(path) == 1 and path[0] in (*AMOUNTS, *COUNTS, *_COST))


def _column(path: Path) -> str:
    return f"{SCORE_PREFIX}{path[1]}" if path[0] == "scores" else path[0]


def _started_at(lines: Lines, layout: Layout) -> Integers | None:
    place = layout.places.get(("started_at",))
    if place is None:
        return np.full(lines.starts.shape[1], ABSENT, np.int64)
    codes = lines.codes(place)
    return None if codes is None else instants_of(codes)


def _texts(lines: Lines, layout: Layout, name: str) -> Sequence[str | None]:
    """Return ids as text; an empty one is none."""
    place = layout.places.get((name,))
    if place is None:
        return [None] * lines.starts.shape[1]
    texts = lines.texts(place)
    return texts if int(lines.sizes(place).min()) else [text or None for text in texts]
