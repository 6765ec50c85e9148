# SPDX-License-Identifier: Apache-2.0
"""JSON values come in; RFC 8785 bytes, their SHA-256 digest, and names that follow from them go out."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from json.encoder import JSONEncoder, encode_basestring
from typing import Any, cast

import rfc8785

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

# RFC 8785 section 3.2.2.3 bounds integers to what a double holds exactly.
MAX_INTEGER = 2**53 - 1
# ECMA-262 Number::toString: so many places before the first digit are written out.
_MOST_PLACES = 6
NAME_LENGTH = 16
# Histograms are most of what is digested: from so many bins on, one call of the standard encoder writes them all.
MANY = 4
_BINS = JSONEncoder(separators=(",", ":"), ensure_ascii=False)


class Written(str):
    """The canonical text of a value, by whoever knows its form so well that nothing in it needs to be looked at."""

    __slots__ = ()


class WrittenOnce:
    """What never changes and is written into several documents: its text is made when it is first asked for."""

    __slots__ = ("_text",)
    _text: Written

    def document(self) -> Json:
        """Return the JSON form."""
        raise NotImplementedError

    def written(self) -> Written:
        """Return the document written out, to be a part of others."""
        try:
            return self._text
        except AttributeError:
            object.__setattr__(self, "_text", written(self.document()))
            return self._text

    def digest(self) -> str:
        """Return the digest of the document."""
        return byte_digest(self.written().encode("utf-8"))


def canonicalize(value: Json) -> bytes:
    """Return the one byte form of a JSON value; integers past 2^53 - 1 become decimal strings."""
    return _text(value).encode("utf-8")


def written(value: Json) -> Written:
    """Return the canonical text of a value, to be a part of others."""
    return Written(_text(value))


def digest(value: Json) -> str:
    """Return `sha256:<hex>` of the canonical bytes."""
    return byte_digest(canonicalize(value))


def byte_digest(data: bytes) -> str:
    """Return `sha256:<hex>` of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def name_of(kind: str, *parts: Json, length: int = NAME_LENGTH) -> str:
    """Return the name `kind_...` that follows from some values, so that whoever makes it again makes the same."""
    # A list keeps the parts apart: joined by a sign, two lists whose parts hold it could share a name.
    hashed = hashlib.sha256(canonicalize(parts)).digest()
    # Eight letters stand for five bytes.
    return f"{kind}_{b32encode(hashed[: -(-length // 8) * 5]).decode('ascii').lower()[:length]}"


def _text(value: Json) -> str:
    write = _WRITERS.get(type(value))
    return _relative(value) if write is None else write(value)


def _relative(value: Json) -> str:
    """Return the text of a value whose type only inherits from, or behaves as, one that JSON has."""
    kinds = (str, float, int, Mapping)
    return _WRITERS[next((kind for kind in kinds if isinstance(value, kind)), Sequence)](value)


def _items(items: Sequence[Json]) -> str:
    if len(items) >= MANY:
        kinds = {*map(type, items)}
        if kinds == {float}:
            return f"[{','.join(map(_number, cast('Sequence[float]', items)))}]"
        if kinds <= {list, tuple} and _is_histogram(items):
            return _BINS.encode(items)
    return f"[{','.join([_text(item) for item in items])}]"


def _is_histogram(items: Sequence[Json]) -> bool:
    """Say whether some sequences are all of texts and of whole numbers that a double holds."""
    parts = list(chain.from_iterable(cast("Sequence[Sequence[Json]]", items)))
    kinds = {*map(type, parts)}
    if not kinds <= {int, str}:
        return False
    numbers: Sequence[Any] = parts if kinds == {int} else [part for part in parts if type(part) is int]
    return not numbers or -MAX_INTEGER <= min(numbers) <= max(numbers) <= MAX_INTEGER


def _members(members: Mapping[str, Json]) -> str:
    return f"{{{','.join([before + _text(members[name]) for name, before in _names(tuple(members))])}}}"


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return names by their UTF-16 code units (RFC 8785 section 3.2.3), each with what is written before its value."""
    ordered = sorted(names)
    if not "".join(names).isascii():
        ordered.sort(key=lambda name: name.encode("utf-16-be"))
    return tuple((name, f"{encode_basestring(name)}:") for name in ordered)


def _number(value: float) -> str:
    """Return a double as ECMAScript writes it; in the usual range Python and ECMAScript agree."""
    size = abs(value)
    if 1e-4 <= size <= MAX_INTEGER:
        return int.__repr__(int(value)) if value.is_integer() else float.__repr__(value)
    if size < 1e-4:
        return _small(float.__repr__(value)) if size else "0"
    return rfc8785.dumps(float(value)).decode("ascii")


def _small(text: str) -> str:
    """Return what Python writes of a double below 1e-4 as ECMAScript does: with an exponent from 1e-7 downwards."""
    digits, _, exponent = text.partition("e-")
    places = int(exponent)
    if places > _MOST_PLACES:
        return f"{digits}e-{places}"
    sign = "-" if digits[0] == "-" else ""
    return f"{sign}0.{'0' * (places - 1)}{digits.removeprefix('-').replace('.', '')}"


def _whole(value: int) -> str:
    return int.__repr__(value) if -MAX_INTEGER <= value <= MAX_INTEGER else f'"{value:d}"'


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    Written: lambda text: text,
    int: _whole,
    float: _number,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
    dict: _members,
    Mapping: _members,
    list: _items,
    tuple: _items,
    Sequence: lambda value: _items(list(value)),
}
