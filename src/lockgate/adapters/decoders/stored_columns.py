# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON whose runs have one shape come in; the batch of them goes out, or nothing when one needs a closer look.

What comes out is what decoding row by row gives; it is only made sooner, some hundred KiB of whole lines at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.ndjson import FAILURES, UNTYPED, are_on_their_own
from lockgate.adapters.decoders.row import ScoreNames
from lockgate.adapters.decoders.row_columns import AMOUNTS, COUNTS, STATUS_CODES, add_score, amounts, costs, texts
from lockgate.adapters.decoders.start_times import instants
from lockgate.adapters.decoders.stored_laid_out import LaidOut, LaidOutRuns
from lockgate.adapters.decoders.stored_shape import Shape, decoder_of, field_name, shape_of
from lockgate.core.app import slice_from
from lockgate.core.batch import Group, RunBatch
from lockgate.core.stats.micro import MAX_ABS, MICRO
from lockgate.core.summary import ABSENT, NONE, Codes, Columns, Integers, concatenate

Rows = Sequence[Any]
# A bound of bytes and not of lines, because by its bytes a piece takes as long: more than 1,000 of the usual lines,
# which have 300 bytes or so, and 10,000 of 50 bytes.
PIECE = 1 << 19
_OPENED, _CLOSED, _BREAK = b"{}\n"
_WHOSE = attrgetter("app_id", "release", "labels")


class ShapedRuns:
    """Decodes bodies whose runs have a shape, and remembers the shape that the last ones had."""

    def __init__(self, known: type[msgspec.Struct]) -> None:
        self._known = known
        self._shape: Shape | None = None
        self._laid_out = LaidOutRuns()

    def batch(self, body: bytes, app: str | None, names: ScoreNames) -> RunBatch | None:
        """Return the batch of a body, or None when a line of it has to be looked at by itself."""
        found = _Found(app)
        for start, end in pieces(body):
            # What is laid out has been found to be ASCII.
            laid_out = self._laid_out.read(body, start, end, names)
            if laid_out is not None:
                found.add_laid_out(laid_out)
                continue
            if not _is_text(body[start:end]):
                return None
            shaped = self._rows(body, start, end)
            if shaped is None or not found.add(*shaped, names):
                return None
        return found.batch(body)

    def _rows(self, body: bytes, start: int, end: int) -> tuple[Rows, Shape] | None:
        """Return the rows of some lines by the shape known, or by their own."""
        # A view, because to copy the bytes takes as long as to tell where their lines end.
        piece = memoryview(body)[start:end]
        # Another thread may learn another shape meanwhile.
        shape = self._shape
        try:
            rows = _decoded(piece, shape, self._known)
            if rows is None:
                learned = shape_of(UNTYPED.decode_lines(piece), self._known)
                self._shape = shape = learned and learned.joined(shape)
                rows = _decoded(piece, shape, self._known)
        except FAILURES:
            return None
        if not (rows and shape):
            return None
        is_plain = _are_plain_lines(body, start, end, len(rows)) or are_on_their_own(body[start:end], len(rows))
        return (rows, shape) if is_plain else None


def _are_plain_lines(body: bytes, start: int, end: int, runs: int) -> bool:
    """Say whether so many runs stand on one line each, and nothing else does.

    A line break between `}` and `{` is between two runs, because within one a comma stands there.
    """
    end -= body.endswith(b"\n", start, end)
    codes = np.frombuffer(body, np.uint8, end - start, start)
    breaks = np.flatnonzero(codes == _BREAK)
    if breaks.size != runs - 1 or not (body.startswith(b"{", start, end) and body.endswith(b"}", start, end)):
        return False
    return bool((codes[breaks - 1] == _CLOSED).all() and (codes[breaks + 1] == _OPENED).all())


def _decoded(piece: memoryview, shape: Shape | None, known: type[msgspec.Struct]) -> Rows | None:
    if shape is None:
        return None
    try:
        rows: Rows = decoder_of(shape, known).decode_lines(piece)
    except msgspec.ValidationError:
        return None
    return rows


class _Places(dict[Any, int]):
    """Which group a run is of, by app, release and labels as they were decoded."""

    def __init__(self, app: str | None) -> None:
        super().__init__()
        self.app = app
        self.groups: dict[Group, int] = {}
        self.labels: tuple[str, ...] = ()

    def __missing__(self, key: tuple[str | None, str | int, msgspec.Struct | None]) -> int:
        app, release, labels = key
        values = () if labels is None else msgspec.structs.astuple(labels)
        named = dict(zip(self.labels, values, strict=False))
        self[key] = place = self.place(Group(app or self.app or "", str(release), slice_from(named)))
        return place

    def place(self, group: Group) -> int:
        """Return the number of a group."""
        return self.groups.setdefault(group, len(self.groups))


# One batch after another names the same few; texts of what is laid out are short.
@lru_cache(maxsize=1_024)
def _group(app: str, release: str, labels: tuple[tuple[str, str], ...]) -> Group:
    return Group(app, release, slice_from(dict(labels)))


class _Found:
    """What was decoded of one body so far."""

    def __init__(self, app: str | None) -> None:
        self._places = _Places(app)
        self._group: list[NDArray[np.intp]] = []
        self._columns: list[Columns] = []
        self._started_at: list[Integers] = []
        self._ids: list[str | None] = []
        self._probes: list[str | None] = []

    def add(self, rows: Rows, shape: Shape, names: ScoreNames) -> bool:
        """Take rows; say whether all are sound as far as can be seen from here."""
        columns = _columns(rows, shape, names)
        if columns is None:
            return False
        if "flags" in shape.fields and not _is_absent(_read(rows, "flags")):
            return False
        nothing: list[Any] = [None] * len(rows)
        try:
            self._started_at.append(instants(_read(rows, "started_at") if "started_at" in shape.fields else nothing))
        except msgspec.ValidationError:
            return False
        self._places.labels = shape.labels
        self._group.append(np.array(list(map(self._places.__getitem__, map(_WHOSE, rows))), np.intp))
        self._columns.append(columns)
        self._ids += texts(_read(rows, "run_id")) if "run_id" in shape.fields else nothing
        self._probes += texts(_read(rows, "probe_id")) if "probe_id" in shape.fields else nothing
        return True

    def add_laid_out(self, runs: LaidOut) -> None:
        """Take runs that are sound."""
        groups = [
            _group(app or self._places.app or "", release, (*labels.items(),)) for app, release, labels in runs.whose
        ]
        places = np.array(list(map(self._places.place, groups)), np.intp)
        self._group.append(places.take(runs.which))
        self._columns.append(runs.columns)
        self._started_at.append(runs.started_at)
        self._ids += runs.ids
        self._probes += runs.probes

    def batch(self, body: bytes) -> RunBatch | None:
        """Return the batch of all rows."""
        if not self._columns or not all(group.app for group in self._places.groups):
            return None
        return RunBatch(
            body=body,
            columns=self._columns[0] if len(self._columns) == 1 else concatenate(self._columns),
            groups=tuple(self._places.groups),
            group=np.concatenate(self._group),
            started_at=np.concatenate(self._started_at),
            ids=self._ids,
            probes=() if _is_absent(self._probes) else self._probes,
        )


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def pieces(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield where some whole lines begin and end: as many bytes as a piece has, to the end of the line at its bound.

    They are so few that what is made of them stays in the processor's cache, and that nobody waits long for it.
    """
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + PIECE) + 1 or len(body)
        yield start, end
        start = end


def _read(rows: Rows, name: str) -> list[Any]:
    return list(map(attrgetter(name), rows))


def _columns(rows: Rows, shape: Shape, names: ScoreNames) -> Columns | None:
    """Return the columns of rows, or None when one may have a flaw."""
    values: dict[str, Integers] = {}
    answers: dict[str, Codes] = {}
    for name in shape.fields.intersection((*AMOUNTS, *COUNTS, "cost")):
        given = _read(rows, name)
        if _is_absent(given):
            continue
        found = _costs(given) if name == "cost" else _amounts(name, given)
        if found is None:
            return None
        values[name] = found
    if "scores" in shape.fields:
        scores = _read(rows, "scores")
        has_scores = [one is not None for one in scores] if None in scores else None
        given = scores if has_scores is None else [one for one in scores if one is not None]
        for place, name in enumerate(shape.scores):
            read = _read(given, field_name(place))
            rest = iter(read)
            one = read if has_scores is None else [next(rest) if is_here else None for is_here in has_scores]
            if not _is_absent(one) and names.flaw((name,)):
                return None
            add_score(name, one, values, answers)
    statuses = np.full(len(rows), NONE, np.int8)
    if "status" in shape.fields:
        statuses = np.fromiter(map(STATUS_CODES.__getitem__, _read(rows, "status")), np.int8, len(rows))
    is_measured = statuses != NONE
    if not is_measured.all():
        for column in values.values():
            is_measured |= column != ABSENT
    return Columns(runs=len(rows), statuses=statuses, values=values, answers=answers) if is_measured.all() else None


def _is_absent(given: list[Any]) -> bool:
    return not given or (given[0] is None and given.count(None) == len(given))


def _amounts(name: str, given: list[Any]) -> Integers | None:
    if name not in COUNTS:
        return amounts(given, is_whole=False)
    kinds = set(map(type, given))
    if kinds == {int}:
        return np.array(given, np.int64) * MICRO
    return None if float in kinds else amounts(given, is_whole=True)


def _costs(given: list[Any]) -> Integers | None:
    """Return costs as micro-units, or None when one that is text may be no decimal."""
    texts_given = given if set(map(type, given)) == {str} else [one for one in given if type(one) is str]
    joined = " ".join(texts_given)
    if not joined.isascii() or joined.encode("ascii").translate(None, b"0123456789. "):
        return None
    try:
        found = costs(given)
    except ValueError:
        return None
    # A little more than the bound is a float that equals it.
    return found if int(found.max()) < MAX_ABS * MICRO else None
