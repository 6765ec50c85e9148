# SPDX-License-Identifier: Apache-2.0
"""Bytes come in; the JSON value whose one RFC 8785 form they are goes out, or a refusal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Literal, NoReturn

from lockgate.core.canonical import MAX_INTEGER, Json, canonicalize
from lockgate.core.refusal import Reason, VerifyError

Part = Literal["envelope", "payload", "case"]


class _DuplicateKeyError(Exception):
    """An object names a key twice."""


def read_canonical(data: bytes, part: Part) -> Json:
    """Return the value of canonical bytes; `part` names in the refusal what was read."""
    try:
        value: Json = json.loads(
            data.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant
        )
    except _DuplicateKeyError as error:
        raise VerifyError(Reason(f"{part}_duplicate_key"), f"the {part} names {error} twice") from error
    except (ValueError, RecursionError) as error:
        raise VerifyError(Reason(f"{part}_not_json"), f"the {part} is not JSON in UTF-8") from error
    if _canonical(value) != data:
        raise VerifyError(
            Reason(f"{part}_not_canonical"),
            f"the {part} is JSON, but not in the one form of RFC 8785",
            advice="Keep receipts byte for byte: no line break at the end, no re-encoding.",
        )
    return value


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
    # RFC 8785 knows doubles only: one past 2^53 is written without a fraction, and is still a double.
    value = float(text)
    return int(value) if -MAX_INTEGER <= value <= MAX_INTEGER else value


def _constant(name: str) -> NoReturn:
    raise ValueError(name)
