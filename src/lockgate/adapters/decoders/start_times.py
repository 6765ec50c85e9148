# SPDX-License-Identifier: Apache-2.0
"""Times as text come in; instants go out: those of one common form all at once, others each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import numpy as np

from lockgate.core.summary import ABSENT, Integers

Time = Annotated[datetime, msgspec.Meta(tz=True)]

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEADING = b"0000-00-00T00:00:00"
_PLACES = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16), "second": (17, 19)}
_ENDS = (b"Z", b"+00:00")
# Beyond these years what a time means is left to the exact way.
_YEARS = (1970, 9_000)


def instants(texts: Sequence[str | None]) -> Integers:
    """Return the instants of times, ABSENT for none; msgspec.ValidationError when one is no time with a zone."""
    found = _at_once(texts) if texts else None
    if found is not None:
        return found
    return np.array([instant(moment) for moment in msgspec.convert(list(texts), list[Time | None])], np.int64)


def instant(moment: datetime | None) -> int:
    """Return the instant of a moment, to the nearest millisecond, ties to even."""
    return ABSENT if moment is None else round((moment - _EPOCH) // _MICROSECOND / 1_000)


def _at_once(texts: Sequence[str | None]) -> Integers | None:
    """Return the instants of times that are all written like the first, in UTC; None when they are not."""
    if texts[0] is None or None in texts:
        return None
    size, first = len(texts[0]), texts[0].encode("utf-8", "replace")
    end = next((end for end in _ENDS if first.endswith(end)), None)
    joined = "".join(texts)  # type: ignore[arg-type]
    if end is None or not joined.isascii() or set(map(len, texts)) != {size}:  # type: ignore[arg-type]
        return None
    places = size - len(_LEADING) - len(end) - 1
    if places not in (-1, 1, 2, 3, 4, 5, 6):
        return None
    form = _LEADING + (b"." + b"0" * places if places > 0 else b"") + end
    codes = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(-1, size)
    template = np.frombuffer(form, np.uint8)
    is_digit = np.arange(size) < size - len(end)
    is_digit &= template == ord("0")
    digits = codes - np.uint8(ord("0"))
    if not ((digits <= 9) | ~is_digit).all() or not ((codes == template) | is_digit).all():
        return None
    return _composed(digits, places)


def _composed(digits: np.ndarray[tuple[int, int], np.dtype[np.uint8]], places: int) -> Integers | None:
    """Return the instants of times by their digits; None when one is no time of the calendar."""
    spans = [*_PLACES.values(), (20, 20 + max(places, 0))]
    year, month, day, hour, minute, second, fraction = (
        digits[:, start:end].astype(np.int64) @ (10 ** np.arange(end - start)[::-1]) for start, end in spans
    )
    bounds = ((year, *_YEARS), (month, 1, 12), (day, 1, 31), (hour, 0, 23), (minute, 0, 59), (second, 0, 59))
    if any((part < low).any() or (part > high).any() for part, low, high in bounds):
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    start, after = (each.astype("datetime64[D]").astype(np.int64) for each in (months, months + 1))
    if (start + day > after).any():
        return None
    seconds = (start + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    micro = seconds * 1_000_000 + fraction * 10 ** (6 - max(places, 0))
    rounded: Integers = np.rint(micro / 1_000).astype(np.int64)
    return rounded
