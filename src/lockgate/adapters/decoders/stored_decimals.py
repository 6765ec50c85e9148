# SPDX-License-Identifier: Apache-2.0
"""Where plain decimals stand in some bytes comes in; their micro-units go out, all at once, or nothing.

Eight bytes are one word, of which the first is the lowest: digits are told apart and weighed many at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lockgate.core.summary import Integers, Mask

Words = NDArray[np.uint64]
WORD = 8
# Of so few digits the decimal and the double that is nearest to it have the same micro-units.
_PLACES, _DIGITS = 6, 8


def _each(byte: int) -> np.uint64:
    return np.uint64(int.from_bytes(bytes([byte]) * WORD, "little"))


_ZEROS, _POINT, _ONES, _TOPS, _BEYOND = map(_each, (ord("0"), ord("0") ^ ord("."), 1, 0x80, 0x76))
_BYTE, _ONE, _TEN, _LAST = (np.uint64(number) for number in (8, 1, 10, 0xFF))
_PAIRS, _OUTER, _INNER = np.uint64(0xFF000000FF), np.uint64(100 + (10**6 << 32)), np.uint64(1 + (10**4 << 32))
# Which bits of a word count if a text of a size ends where it ends.
KEPT = np.array([(1 << 64) - (1 << 8 * (WORD - size)) for size in range(WORD)] + [(1 << 64) - 1], np.uint64)
_SCALES = 10 ** np.arange(_PLACES, -1, -1)
_POWERS = 10 ** np.arange(_DIGITS + 1)


def words_of(body: bytes, start: int, end: int) -> Words:
    """Return the word that begins at each byte of a part of some bytes."""
    return np.ndarray((end - start - WORD + 1,), "<u8", body, start, (1,))


def decimals(words: Words, starts: Integers, ends: Integers) -> tuple[Integers, Mask] | None:
    """Return micro-units, and which have a point, or None when a decimal is not written the plain way.

    Plain are at most eight digits as JSON has them, of which at most six follow a point.
    """
    sizes = ends - starts
    if int(sizes.min()) < 1 or int(sizes.max()) > _DIGITS + 1:
        return None
    text = (words[ends - WORD] ^ _ZEROS) & KEPT.take(np.minimum(sizes, WORD))
    point = _first_point(text)
    has_point = point != 0
    # As doubles, powers of two tell their exponent: 7 and 8 for each byte before.
    places = (7 + 128 - (point.astype(np.float64).view(np.int64) >> 55)) * has_point
    before = ((point - _ONE) >> np.uint64(7)) * has_point
    digits = ((text & before) << _BYTE) | (text & ~((before << _BYTE) | (_LAST * has_point)))
    is_longest = sizes > WORD
    longest = np.flatnonzero(is_longest)
    digits[longest] |= (words[ends[longest] - WORD - 1] ^ _ZEROS) & _LAST
    whole = sizes - places - has_point
    is_odd = (has_point & (places == 0)) | (places > _PLACES) | (whole < 1) | (is_longest & ~has_point)
    if is_odd.any() or ((digits | (digits + _BEYOND)) & _TOPS).any():
        return None
    numbers = _eight(digits)
    if ((whole > 1) & (numbers < _POWERS.take(whole + places - 1))).any():
        return None
    return numbers * _SCALES.take(places), has_point


def _first_point(text: Words) -> Words:
    """Return the top bit of the first byte that is a point; what may look like one else is no digit."""
    found = text ^ _POINT
    found = (found - _ONES) & ~found & _TOPS
    return found & (~found + _ONE)


def _eight(digits: Words) -> Integers:
    """Return the numbers of eight digits each (Mula: SIMD-ized parsing, by pairs, of pairs, of pairs)."""
    pairs = digits * _TEN + (digits >> _BYTE)
    numbers = (pairs & _PAIRS) * _OUTER + ((pairs >> np.uint64(16)) & _PAIRS) * _INNER
    return (numbers >> np.uint64(32)).view(np.int64)
