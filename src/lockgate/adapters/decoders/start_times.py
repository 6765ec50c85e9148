# SPDX-License-Identifier: Apache-2.0
"""Times as text come in; instants go out: those of one common form all at once, others each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.core.summary import ABSENT, Integers

Time = Annotated[datetime, msgspec.Meta(tz=True)]

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEADING = b"0000-00-00T00:00:00"
# Where year, month, day, hour, minute and second stand, and where a fraction begins.
_SPANS = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
_SECOND, _FRACTION = 17, 20
# So many of these parts say which minute.
_WITHIN = 5
_ENDS = (b"Z", b"+00:00")
# A product of more rows is shared among threads, which take the processor from others while they wait.
_ROWS = 2_048
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
    if None in texts:
        return None
    given = cast("Sequence[str]", texts)
    size, joined = len(given[0]), "".join(given)
    if not joined.isascii() or set(map(len, given)) != {size}:
        return None
    return instants_of(np.frombuffer(joined.encode("ascii"), np.uint8).reshape(-1, size)) if size else None


def instants_of(codes: NDArray[np.uint8]) -> Integers | None:
    """Return the instants of times given by their bytes, a row for each; None when they are not all of one form."""
    size, first = codes.shape[1], codes[0].tobytes()
    end = next((end for end in _ENDS if first.endswith(end)), None)
    if end is None:
        return None
    places = size - len(_LEADING) - len(end) - 1
    if places not in (-1, 1, 2, 3, 4, 5, 6):
        return None
    form = _LEADING + (b"." + b"0" * places if places > 0 else b"") + end
    template = np.frombuffer(form, np.uint8)
    is_digit = np.arange(size) < size - len(end)
    is_digit &= template == ord("0")
    digits = codes - np.uint8(ord("0"))
    if not ((digits <= 9) | ~is_digit).all() or not ((codes == template) | is_digit).all():
        return None
    return _composed(digits, max(places, 0))


def _composed(digits: NDArray[np.uint8], places: int) -> Integers | None:
    """Return the instants of times by their digits; None when one is no time of the calendar."""
    weights = _weights(digits.shape[1], places)
    # Runs that came together mostly began in one minute, which then is told once.
    minutes = digits[:1, :_SECOND] if (digits[:, :_SECOND] == digits[0, :_SECOND]).all() else digits[:, :_SECOND]
    year, month, day, hour, minute = _weighed(minutes, weights[:_SECOND, :_WITHIN])
    second, micro = _weighed(digits[:, _SECOND:], weights[_SECOND:, _WITHIN:])
    bounds = ((year, *_YEARS), (month, 1, 12), (day, 1, 31), (hour, 0, 23), (minute, 0, 59), (second, 0, 59))
    if any(int(part.min()) < low or int(part.max()) > high for part, low, high in bounds):
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    start, after = (each.astype("datetime64[D]").astype(np.int64) for each in (months, months + 1))
    if (start + day > after).any():
        return None
    seconds = (start + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second
    rounded: Integers = np.rint((seconds * 1_000_000 + micro) / 1_000).astype(np.int64)
    return rounded


def _weighed(digits: NDArray[np.uint8], weights: NDArray[np.float64]) -> Integers:
    """Return for each part of a time what the digits of each time add up to."""
    # Doubles hold these products and sums exactly, and are multiplied faster than integers.
    products = [digits[start : start + _ROWS].astype(np.float64) @ weights for start in range(0, len(digits), _ROWS)]
    found: Integers = np.concatenate(products).astype(np.int64).T
    return found


@cache
def _weights(size: int, places: int) -> NDArray[np.float64]:
    """Return what each digit adds to each part of a time, a column for each; the last is in microseconds."""
    weights = np.zeros((size, len(_SPANS) + 1))
    for column, (start, end) in enumerate(_SPANS):
        weights[start:end, column] = 10.0 ** np.arange(end - start)[::-1]
    weights[_FRACTION : _FRACTION + places, -1] = 10.0 ** (5 - np.arange(places))
    return weights
