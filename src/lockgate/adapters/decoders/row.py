# SPDX-License-Identifier: Apache-2.0
"""A run as somebody wrote it comes in; a row whose every field is of its type goes out, or what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Annotated, Literal

import msgspec

from lockgate.core.meant_field import IN_NEED, meant_field
from lockgate.core.metric import FIELDS, SCORE_PREFIX, parse_metric
from lockgate.core.stats.micro import MAX_ABS, from_text
from lockgate.errors import UsageError

MAX_SCORES = 1_000
# Longer ids are no ids, and would fill memory from a file that is small.
MAX_TEXT = 1_000
MAX_FLAGS = 32
# So many fields of a record are asked whether they are nearly another.
MAX_HINTED = 200
MEASURABLE = ("status", *FIELDS, "scores")
SCORE_RULE = f"a number within {MAX_ABS:.0e}, true or false, or an object that holds one as value"
_TEXT = f"text of at most {MAX_TEXT:,} characters"
_ID = f"text or a whole number, of at most {MAX_TEXT:,} characters"
_NUMBER = f"a number from 0 to {MAX_ABS:.0e}"
RULES = {
    "release": f"text that is not empty, or a whole number, of at most {MAX_TEXT:,} characters",
    "run_id": _ID,
    "probe_id": _ID,
    "status": "ok, error, timeout or cancelled",
    "latency_ms": _NUMBER,
    "ttft_ms": _NUMBER,
    "cost": f"a decimal from 0 to {MAX_ABS:.0e}, as a number or as text",
    "currency": _TEXT,
    "input_tokens": f"a whole number from 0 to {MAX_ABS:.0e}",
    "output_tokens": f"a whole number from 0 to {MAX_ABS:.0e}",
    "scores": f"names, each with {SCORE_RULE}",
    "labels": "an object of names with text",
}
# Of what is read of a run that is kept, and in no table.
TIME_RULE = "RFC 3339 with zone, such as 2026-11-21T15:00:00Z"
KEPT_RULES = {
    "app_id": _TEXT,
    "started_at": TIME_RULE,
    "flags": f"an object of at most {MAX_FLAGS} names, each with the text of a variant",
}
SCORE_NAMES = "letters, digits, '_', '.' and '-', at most 128, and begin with a letter, a digit or '_'"
# What the record of a run has, read here or not.
KNOWN = frozenset((*RULES, *KEPT_RULES, "app_id", "started_at", "error_type", "unit_id", "environment"))

_Amount = Annotated[float, msgspec.Meta(ge=0, le=MAX_ABS)]
_Whole = Annotated[int, msgspec.Meta(ge=0, le=MAX_ABS)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Number = Annotated[float, msgspec.Meta(ge=-MAX_ABS, le=MAX_ABS)]


class ScoreObject(msgspec.Struct, gc=False):
    """A score with its evaluator; only the value is read."""

    value: _Number | bool | None


Score = _Number | bool | ScoreObject | None


class Row(msgspec.Struct, gc=False):
    """What `compare` reads of a run; other fields of the record are let through unread."""

    release: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)] | int
    run_id: _Text | int | None = None
    status: Literal["ok", "error", "timeout", "cancelled"] | None = None
    latency_ms: _Amount | None = None
    ttft_ms: _Amount | None = None
    cost: _Amount | _Text | None = None
    currency: _Text | None = None
    # A table with gaps turns whole numbers into floats on its way through other tools.
    input_tokens: _Whole | _Amount | None = None
    output_tokens: _Whole | _Amount | None = None
    scores: dict[str, Score] | None = None
    labels: dict[str, str | None] | None = None
    probe_id: _Text | int | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a row, in words, and whether it is that it says nothing to measure."""

    what: str
    is_unmeasured: bool = False


UNMEASURED = Flaw(f"no measurable field; give at least one of {', '.join(MEASURABLE)}", is_unmeasured=True)


class ScoreNames:
    """Remembers which names of scores are legal, and how many there are."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def covers(self, names: Iterable[str]) -> bool:
        """Say whether all names are known to be legal."""
        return self._known.issuperset(names)

    def flaw(self, names: Iterable[str]) -> str | None:
        """Return what is wrong with the first bad name, and learn the good ones."""
        for name in names:
            if name in self._known:
                continue
            if not is_score_name(name):
                return f"a score is named {_shown(name)}; names are made of {SCORE_NAMES}"
            if len(self._known) >= MAX_SCORES:
                return f"{_shown(name)} is one name of a score too many; at most {MAX_SCORES:,} are tallied"
            self._known.add(name)
        return None


def is_score_name(name: str) -> bool:
    """Say whether a score of this name can be asked for as a metric."""
    try:
        return parse_metric(f"{SCORE_PREFIX}{name}").field == f"{SCORE_PREFIX}{name}"
    except UsageError:
        return False


def are_sound(rows: Sequence[Row], names: ScoreNames) -> bool:
    """Say quickly whether no row has a flaw; a flaw that is only suspected says no."""
    # Lists, because they are built twice as fast as generators run.
    unmeasured = [row for row in rows if row.status is None and row.latency_ms is None and not _is_measured(row)]
    odd = [row for row in rows if type(row.input_tokens) is float or type(row.output_tokens) is float]
    texts = [row.cost for row in rows if type(row.cost) is str]
    scores = [row.scores for row in rows if row.scores]
    return (
        not unmeasured
        and not odd
        and (not scores or names.covers(chain.from_iterable(scores)))
        and (not texts or _are_decimals(texts))
    )


def flaw(row: Row, names: ScoreNames) -> Flaw | None:
    """Return what is wrong with a row although each field is of its type."""
    for name in ("input_tokens", "output_tokens"):
        count = getattr(row, name)
        if isinstance(count, float) and not count.is_integer():
            return Flaw(_wrong(name, count))
    if isinstance(row.cost, str) and not is_decimal(row.cost):
        return Flaw(_wrong("cost", row.cost))
    if row.scores and (bad := names.flaw(row.scores)):
        return Flaw(bad)
    return None if _is_measured(row) else UNMEASURED


def _is_measured(row: Row) -> bool:
    if any(getattr(row, name) is not None for name in MEASURABLE[:-1]):
        return True
    scores = (row.scores or {}).values()
    return any((score.value if isinstance(score, ScoreObject) else score) is not None for score in scores)


def is_decimal(text: str) -> bool:
    """Say whether a text is a decimal number from 0 up."""
    try:
        return from_text(text) >= 0 and not text.lstrip().startswith("-")
    except ValueError:
        return False


def explain(record: object, error: str) -> str:
    """Return what is wrong with a decoded record, given the decoder's own words."""
    if not isinstance(record, Mapping):
        return "a run is an object with fields"
    if record.get("release") is None:
        return f"release is missing{hint(record, ('release',))}"
    match = re.search(r"`\$(?:\[\d+\])?\.(\w+)", error)
    name = match[1] if match else ""
    if name == "scores" and (bad := _bad_score(record["scores"])):
        return bad
    return _wrong(name, record.get(name)) if name in {*RULES, *KEPT_RULES} else error[:200]


def _bad_score(scores: object) -> str | None:
    """Return what is wrong with the first score that is none, by its name."""
    for name, value in scores.items() if isinstance(scores, Mapping) else ():
        try:
            msgspec.convert(value, Score)
        except msgspec.ValidationError:
            return f"scores.{name} is {_shown(value)}; it must be {SCORE_RULE}"
    return None


def hint(record: Iterable[str], wanted: Sequence[str]) -> str:
    """Return a question about a field that is nearly one of the wanted, or nothing."""
    for name in islice(record, MAX_HINTED):
        near = None if name in KNOWN else meant_field(name, wanted, IN_NEED)
        if near:
            return f"; is {_shown(name)} meant to be {near}?"
    return ""


def stranger(name: str) -> str | None:
    """Return the measurable field that a field of another name may be meant to be."""
    is_known = name in KNOWN or name.startswith(("scores.", "labels."))
    return None if is_known else meant_field(name, MEASURABLE)


def _wrong(name: str, value: object) -> str:
    return f"{name} is {_shown(value)}; it must be {RULES.get(name) or KEPT_RULES[name]}"


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _are_decimals(texts: Sequence[str]) -> bool:
    """Say whether all are digits with at most one point; other notations are looked at one by one."""
    joined = " ".join(texts)
    if not joined.isascii() or joined.encode("ascii").translate(None, b"0123456789. "):
        return False
    try:
        # A little more than the bound is a float that equals it.
        return max(map(float, texts)) < MAX_ABS
    except ValueError:
        return False
