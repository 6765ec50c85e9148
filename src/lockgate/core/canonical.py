# SPDX-License-Identifier: Apache-2.0
"""JSON values come in; RFC 8785 bytes and their SHA-256 digest go out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring

import rfc8785

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

# RFC 8785 section 3.2.2.3 bounds integers to what a double holds exactly.
MAX_INTEGER = 2**53 - 1


def canonicalize(value: Json) -> bytes:
    """Return the one byte form of a JSON value; integers past 2^53 - 1 become decimal strings."""
    written: list[str] = []
    _write(value, written)
    return "".join(written).encode("utf-8")


def digest(value: Json) -> str:
    """Return `sha256:<hex>` of the canonical bytes."""
    return f"sha256:{hashlib.sha256(canonicalize(value)).hexdigest()}"


def _write(value: Json, written: list[str]) -> None:
    if isinstance(value, str):
        written.append(encode_basestring(value))
    elif isinstance(value, float):
        written.append(_number(value))
    elif value is None or isinstance(value, bool):
        written.append("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        written.append(int.__repr__(value) if -MAX_INTEGER <= value <= MAX_INTEGER else f'"{value:d}"')
    elif isinstance(value, dict | Mapping):
        _write_members(value, written)
    else:
        mark = "["
        for item in value:
            written.append(mark)
            _write(item, written)
            mark = ","
        written.append("]" if mark == "," else "[]")


def _write_members(members: Mapping[str, Json], written: list[str]) -> None:
    mark = "{"
    for name in _sorted(members):
        written.append(f"{mark}{encode_basestring(name)}:")
        _write(members[name], written)
        mark = ","
    written.append("}" if mark == "," else "{}")


def _sorted(members: Mapping[str, Json]) -> list[str]:
    """Return names by their UTF-16 code units (RFC 8785 section 3.2.3)."""
    names = sorted(members)
    return names if "".join(names).isascii() else sorted(names, key=lambda name: name.encode("utf-16-be"))


def _number(value: float) -> str:
    """Return a double as ECMAScript writes it; in the usual range Python and ECMAScript agree."""
    if -MAX_INTEGER <= value <= MAX_INTEGER and value.is_integer():
        return int.__repr__(int(value))
    if 1e-4 <= abs(value) <= MAX_INTEGER:
        return float.__repr__(value)
    return rfc8785.dumps(float(value)).decode("ascii")
