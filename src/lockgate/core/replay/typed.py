# SPDX-License-Identifier: Apache-2.0
"""The JSON form of a value and the value's type come in; the value goes out.

It is the other way round of `plain` in `evidence.state` and of the documents of tallies. What it makes of a document
that is of no such form is for whoever writes the value again and compares.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import chain
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.canonical import Json
from lockgate.core.evidence.state import Bins

T = TypeVar("T")
# A type as annotations write it, such as `tuple[int, ...] | None`.
Form = Any


def typed(kind: type[T], document: Json) -> T:
    """Return the value of a type whose JSON form a document is."""
    return cast("T", _value(kind, document))


def _value(kind: Form, document: Any) -> Any:  # noqa: ANN401 -- what JSON decodes to
    if kind in _LEAVES:
        return _LEAVES[kind](document)
    origin: Form = get_origin(kind)
    arguments = get_args(kind)
    if origin is tuple:
        return _items(arguments, document)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, document)
    if origin is Mapping:
        return {name: _value(arguments[1], part) for name, part in document.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(document)
    if is_dataclass(kind):
        return _fields(kind, document)
    raise TypeError(f"no form is declared for {kind}")


def _fields(kind: Form, document: Any) -> Any:  # noqa: ANN401 -- what JSON decodes to
    hints = _hints(kind)
    return kind(**{name: _value(form, document[name]) for name, form in hints.items()})


@cache
def _hints(kind: Form) -> dict[str, Form]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _items(arguments: tuple[Form, ...], document: list[Json]) -> tuple[Any, ...]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_value(arguments[0], part) for part in document)
    return tuple(_value(kind, part) for kind, part in zip(arguments, document, strict=True))


def _one_of(kinds: tuple[Form, ...], document: Json) -> object:
    if document is None:
        return None
    if Events in kinds and Values in kinds:
        return _value(Events if len(cast("list[Json]", document)) == _EVENTS_PARTS else Values, document)
    only = [kind for kind in kinds if kind is not types.NoneType]
    if len(only) != 1:
        raise TypeError(f"no form is declared for {kinds}")
    return _value(only[0], document)


_EVENTS_PARTS = 2


def whole(document: Json) -> int:
    """Return a whole number; one that a double would round is text."""
    if isinstance(document, bool) or not isinstance(document, int | str):
        raise TypeError("not a whole number")
    return int(document)


def _number(document: Json) -> float:
    if isinstance(document, bool) or not isinstance(document, int | float):
        raise TypeError("not a number")
    return float(document)


def _text(document: Json) -> str:
    if not isinstance(document, str):
        raise TypeError("not a text")
    return document


def _truth(document: Json) -> bool:
    if not isinstance(document, bool):
        raise TypeError("neither true nor false")
    return document


def _events(document: Any) -> Events:  # noqa: ANN401 -- what JSON decodes to
    return Events(*map(whole, document))


def _pairs(document: Any) -> Pairs:  # noqa: ANN401 -- what JSON decodes to
    return Pairs(*map(whole, document))


def _values(document: Any) -> Values:  # noqa: ANN401 -- what JSON decodes to
    n, total, squares, held = document
    excess = tuple([int(more) for *_, more in held])
    return Values(whole(n), whole(total), whole(squares), _counts([each[:2] for each in held]), excess)


def _counts(document: Any) -> tuple[tuple[int, int], ...]:  # noqa: ANN401 -- what JSON decodes to
    """Return bins with their counts, which are most of what is read, all looked at together."""
    bins = tuple([(index, count) for index, count in document])
    if not {*map(type, chain.from_iterable(bins))} <= {int}:
        raise TypeError("not all whole numbers")
    return bins


def _bucket(document: Any) -> Bucket:  # noqa: ANN401 -- what JSON decodes to
    return Bucket(
        whole(document["runs"]),
        {name: whole(count) for name, count in document["statuses"].items()},
        {name: _events(tally) for name, tally in document["events"].items()},
        {name: _values(tally) for name, tally in document["values"].items()},
    )


_LEAVES: dict[Form, Any] = {
    int: whole,
    float: _number,
    str: _text,
    bool: _truth,
    Events: _events,
    Values: _values,
    Pairs: _pairs,
    Bucket: _bucket,
    Bins: _counts,
}
