# SPDX-License-Identifier: Apache-2.0
"""A frozen dataclass comes in and its bytes go out, and the other way round.

The bytes are MessagePack. Dataclasses are maps by field name, so that a field with a default can be added later;
whole numbers beyond 64 bits are bytes; a mapping is a list of pairs, because its keys may be tuples.
What msgspec reads and writes by itself is left to it; tallies of values, which are most of what is kept, are bytes of
their own within the others, so that it reads each of them in one go.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from fractions import Fraction
from functools import cache, partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from lockgate.core.bucket import Values
from lockgate.errors import UnsoundError

T = TypeVar("T")
Turn = Callable[[Any], Any]
# A type as annotations write it, such as `tuple[int, ...] | None`.
Form = Any

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder()
_LOW, _HIGH = -(2**63), 2**63


class _Values(msgspec.Struct, gc=False):
    """Tallies of values as they rest; all but `bins` may be wider than 64 bits."""

    n: int | bytes
    total: int | bytes
    squares: int | bytes
    bins: tuple[tuple[int, int], ...]
    excess: tuple[int | bytes, ...]


_VALUES = msgspec.msgpack.Decoder(_Values)


def pack(value: object) -> bytes:
    """Return the bytes of a dataclass."""
    kind: Form = type(value)
    try:
        return _ENCODER.encode(_lowering(kind, is_wide=False)(value))
    except OverflowError:
        # Tuples are handed over as they are, which is right for all but the widest numbers.
        return _ENCODER.encode(_lowering(kind, is_wide=True)(value))


def unpack(kind: type[T], data: bytes) -> T:
    """Return the dataclass that some bytes are."""
    form: Form = kind
    try:
        return cast("T", _raising(form)(_DECODER.decode(data)))
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnsoundError(
            f"a {kind.__name__} in the store cannot be read: {error}", advice="The store is not whole; put it back."
        ) from error


@cache
def _lowering(kind: Form, *, is_wide: bool) -> Turn:
    """Return how a value of a type becomes one that MessagePack has; `is_wide` looks at numbers within tuples too."""
    arguments = get_args(kind)
    origin: Form = get_origin(kind)
    lowering = partial(_lowering, is_wide=is_wide)
    if kind is int:
        return _lower_whole
    if kind is Fraction:
        return str
    if kind is Values:
        return _lower_values
    if is_dataclass(kind):
        return _lower_fields(kind, lowering)
    if origin in (Union, types.UnionType):
        return _lower_union(arguments, lowering)
    if _is_plain(kind) and not (is_wide and origin is tuple):
        return lambda value: value
    if origin is tuple:
        turns = _items(arguments, lowering)
        return lambda value: [turn(item) for turn, item in zip(turns(value), value, strict=True)]
    if origin is Mapping:
        of_key, of_value = (lowering(each) for each in arguments)
        return lambda value: [(of_key(key), of_value(item)) for key, item in value.items()]
    raise TypeError(f"no form is declared for {kind}")


@cache
def _raising(kind: Form) -> Turn:
    """Return how what MessagePack has becomes a value of a type."""
    arguments = get_args(kind)
    origin: Form = get_origin(kind)
    if kind is int:
        return _raise_whole
    if kind is Fraction:
        return Fraction
    if kind is Values:
        return _raise_values
    if is_dataclass(kind):
        return _raise_fields(kind)
    if origin in (Union, types.UnionType):
        return _raise_union(arguments)
    if _is_plain(kind) and origin is not tuple:
        return partial(msgspec.convert, type=kind)
    if origin is tuple:
        return _raise_tuple(kind, _items(arguments, _raising))
    if origin is Mapping:
        of_key, of_value = (_raising(each) for each in arguments)
        return lambda value: {of_key(key): of_value(item) for key, item in value}
    raise TypeError(f"no form is declared for {kind}")


@cache
def _is_plain(kind: Form) -> bool:
    """Say whether msgspec reads and writes a type by itself, but for the widest numbers."""
    origin: Form = get_origin(kind)
    if origin in (tuple, Union, types.UnionType):
        return all(each is Ellipsis or _is_plain(each) for each in get_args(kind))
    return isinstance(kind, type) and not is_dataclass(kind) and kind is not Fraction and origin is None


def _lower_fields(kind: Form, lowering: Callable[[Form], Turn]) -> Turn:
    hints = get_type_hints(kind)
    turns = [(field.name, lowering(hints[field.name])) for field in fields(kind)]
    return lambda value: {name: turn(getattr(value, name)) for name, turn in turns}


def _raise_fields(kind: Form) -> Turn:
    hints = get_type_hints(kind)
    turns = {field.name: _raising(hints[field.name]) for field in fields(kind)}
    required = {field.name for field in fields(kind) if field.default is field.default_factory is MISSING}

    def turn(value: dict[str, Any]) -> object:
        missing = required - value.keys()
        if missing:
            raise msgspec.ValidationError(f"{kind.__name__} without {', '.join(sorted(missing))}")
        return kind(**{name: turns[name](item) for name, item in value.items()})

    return turn


def _raise_tuple(kind: Form, turns: Callable[[Any], list[Turn]]) -> Turn:
    def turn(value: Any) -> object:  # noqa: ANN401 -- what MessagePack decodes to
        return tuple(one(item) for one, item in zip(turns(value), value, strict=True))

    if not _is_plain(kind):
        return turn
    convert = partial(msgspec.convert, type=kind)

    def turn_plain(value: Any) -> object:  # noqa: ANN401 -- what MessagePack decodes to
        try:
            return convert(value)
        except msgspec.ValidationError:
            # A number in it is wider than 64 bits.
            return turn(value)

    return turn_plain


def _lower_union(kinds: tuple[Any, ...], lowering: Callable[[Form], Turn]) -> Turn:
    plain = [kind for kind in kinds if kind is not types.NoneType]
    if len(plain) == 1:
        only = lowering(plain[0])
        return lambda value: None if value is None else only(value)
    if not any(is_dataclass(kind) for kind in plain):
        return lambda value: value
    places = {kind: (place, lowering(kind)) for place, kind in enumerate(plain)}

    def turn(value: object) -> object:
        if value is None:
            return None
        place, lower = places[type(value)]
        return [place, lower(value)]

    return turn


def _raise_union(kinds: tuple[Any, ...]) -> Turn:
    plain = [kind for kind in kinds if kind is not types.NoneType]
    if len(plain) == 1:
        only = _raising(plain[0])
        return lambda value: None if value is None else only(value)
    if not any(is_dataclass(kind) for kind in plain):
        return lambda value: value
    turns = [_raising(kind) for kind in plain]
    return lambda value: None if value is None else turns[value[0]](value[1])


def _items(arguments: tuple[Any, ...], turn_of: Callable[[Any], Turn]) -> Callable[[Any], list[Turn]]:
    turns = [turn_of(each) for each in arguments if each is not Ellipsis]
    is_open = len(arguments) == 2 and arguments[1] is Ellipsis
    return lambda value: turns * len(value) if is_open else turns


def _lower_values(value: Values) -> bytes:
    n, total, squares = map(_lower_whole, (value.n, value.total, value.squares))
    try:
        return _ENCODER.encode(_Values(n, total, squares, value.bins, value.excess))
    except OverflowError:
        excess = tuple(map(_lower_whole, value.excess))
        return _ENCODER.encode(_Values(n, total, squares, value.bins, excess))


def _raise_values(data: bytes) -> Values:
    found = _VALUES.decode(data)
    n, total, squares = map(_raise_whole, (found.n, found.total, found.squares))
    if bytes in {*map(type, found.excess)}:
        return Values(n, total, squares, found.bins, tuple(map(_raise_whole, found.excess)))
    return Values(n, total, squares, found.bins, cast("tuple[int, ...]", found.excess))


def _lower_whole(value: int) -> int | bytes:
    if _LOW <= value < _HIGH:
        return value
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _raise_whole(value: int | bytes) -> int:
    return int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else value
