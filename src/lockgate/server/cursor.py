# SPDX-License-Identifier: Apache-2.0
"""A list and a place in it come in; a cursor that only that list takes goes out, and back.

A cursor is no secret and gives nothing: whoever makes one up only begins elsewhere in what the key may see.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import TypeVar

from lockgate.server.call import Call
from lockgate.server.problem import NOT_A_CURSOR, ProblemError

T = TypeVar("T")
# A place may be a name of 256 characters, each of four bytes.
MAX_CURSOR = 2_048


def next_cursor(call: Call, place: str) -> str:
    """Return the cursor of the page after a place."""
    told = json.dumps([_list(call), place], ensure_ascii=False)
    return urlsafe_b64encode(told.encode()).rstrip(b"=").decode("ascii")


def place_of(call: Call) -> str | None:
    """Return the place that the cursor of a call names; None where it has none."""
    cursor = call.text("cursor")
    if cursor is None:
        return None
    try:
        found = json.loads(urlsafe_b64decode(cursor[:MAX_CURSOR].encode("ascii") + b"=="))
        of_list, place = found
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise _foreign() from None
    if of_list != _list(call) or not isinstance(place, str):
        raise _foreign()
    return place


def page_of(call: Call, whole: Sequence[T], default: int, most: int) -> tuple[Sequence[T], str | None]:
    """Return a page of a list that only grows at its end, and the cursor of the next one."""
    limit, place = call.whole("limit", default, most), place_of(call)
    if place is not None and not (place.isascii() and place.isdigit() and len(place) < 10):
        raise _foreign()
    first = int(place or 0)
    last = first + limit
    return whole[first:last], next_cursor(call, str(last)) if last < len(whole) else None


def _list(call: Call) -> str:
    """Return what tells a list from another one: its organisation, its path and its filters."""
    filters = sorted((name, text) for name, text in call.query.items() if name not in ("limit", "cursor"))
    told = json.dumps([call.house.org, call.path, filters])
    return hashlib.sha256(told.encode("ascii")).hexdigest()[:16]


def _foreign() -> ProblemError:
    return ProblemError(NOT_A_CURSOR, "the cursor is of another list", "Ask again without one, by the same filters.")
