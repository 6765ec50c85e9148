# SPDX-License-Identifier: Apache-2.0
"""JSON values come in; RFC 8785 bytes and their SHA-256 digest go out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import rfc8785

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]

# RFC 8785 section 3.2.2.3 bounds integers to what a double holds exactly.
MAX_INTEGER = 2**53 - 1


def canonicalize(value: Json) -> bytes:
    """Return the one byte form of a JSON value; integers past 2^53 - 1 become decimal strings."""
    return rfc8785.dumps(_plain(value))


def digest(value: Json) -> str:
    """Return `sha256:<hex>` of the canonical bytes."""
    return f"sha256:{hashlib.sha256(canonicalize(value)).hexdigest()}"


def _plain(value: Json) -> Json:
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return value if -MAX_INTEGER <= value <= MAX_INTEGER else str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value]
