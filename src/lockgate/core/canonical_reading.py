# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; the JSON value whose one RFC 8785 form they are goes out, or a refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from json import JSONDecoder, JSONEncoder
from typing import Literal, NoReturn

from lockgate.core.canonical import MAX_INTEGER, Json, canonicalize
from lockgate.core.refusal import Reason, VerifyError

# How Python writes floats that RFC 8785 writes in another way: 1.0, 1e+16 to 1e+20, 1e-05 to 1e-09.
_ODD = (b".0,", b".0]", b".0}", b"e+1", b"e+2", b"e-0")
# The first byte of what UTF-16 takes two units for.
_ASTRAL = 0xF0
# A whole number of fewer letters is below 2^53.
_DIGITS = 16
_PLAIN = JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

# Every nesting of values takes frames of whoever walks through them; no document of ours is a tenth as deep.
MAX_DEPTH = 128

DocumentKind = Literal["envelope", "payload", "case"]


class _DuplicateKeyError(Exception):
    """An object names a key twice."""


def read_canonical(data: bytes, part: DocumentKind) -> Json:
    """Return the value of canonical bytes; `part` names in the refusal what was read."""
    try:
        value: Json = _DECODER.decode(data.decode("utf-8"))
    except _DuplicateKeyError as error:
        raise VerifyError(Reason[f"{part.upper()}_DUPLICATE_KEY"], f"the {part} names {error} twice") from error
    except (ValueError, RecursionError) as error:
        raise VerifyError(Reason[f"{part.upper()}_NOT_JSON"], f"the {part} is not JSON in UTF-8") from error
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise VerifyError(
            Reason[f"{part.upper()}_NOT_JSON"], f"the {part} is JSON that is nested more than {MAX_DEPTH} deep"
        )
    if not _is_plainly_canonical(value, data) and _canonical(value) != data:
        raise VerifyError(
            Reason[f"{part.upper()}_NOT_CANONICAL"],
            f"the {part} is JSON, but not in the one form of RFC 8785",
            advice="Keep receipts byte for byte: no line break at the end, no re-encoding.",
        )
    return value


def _is_deep(value: Json) -> bool:
    """Say whether a value is nested deeper than whatever is made of it can follow."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        objects = (each.values() for each in level if isinstance(each, dict))
        lists = (each for each in level if isinstance(each, list))
        level = [part for parts in (*objects, *lists) for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True


def _is_plainly_canonical(value: Json, data: bytes) -> bool:
    """Say whether the standard encoder, which is fast, writes these bytes, where it does as RFC 8785 wants.

    The two differ in whole and in tiny floats, and in the order of names beyond 16 bits; the rest is looked at again.
    """
    if any(map(data.__contains__, _ODD)) or not (data.isascii() or max(data) < _ASTRAL) or data.endswith(b".0"):
        return False
    try:
        return _PLAIN.encode(value).encode("utf-8") == data
    except (ValueError, RecursionError):
        return False


def _canonical(value: Json) -> bytes | None:
    try:
        return canonicalize(value)
    except (ValueError, RecursionError):
        # Lone surrogates and numbers beyond a double have no canonical form.
        return None


def _object(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise _DuplicateKeyError(ascii(next(name for name, count in counts.items() if count > 1)))
    return members


def _integer(text: str) -> int | float:
    if len(text) < _DIGITS:
        return int(text)
    # RFC 8785 knows doubles only: one past 2^53 is written without a fraction, and is still a double.
    value = float(text)
    return int(value) if -MAX_INTEGER <= value <= MAX_INTEGER else value


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)
