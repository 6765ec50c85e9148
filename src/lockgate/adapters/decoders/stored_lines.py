# SPDX-License-Identifier: Apache-2.0
"""Lines of JSON of one layout come in; where their values stand goes out, and values told apart and read at once.

Whatever is not exactly of the layout is left to the general way, which says the same of what is read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lockgate.adapters.decoders.row import MAX_TEXT
from lockgate.adapters.decoders.stored_decimals import KEPT, WORD, Words, decimals, words_of
from lockgate.adapters.decoders.stored_layout import Layout
from lockgate.core.summary import Codes, Integers, Mask

_QUOTE, _COMMA, _BREAK, _SPACE = b'",\n '
# Longer texts are not told apart here, nor ids cut out at once.
MAX_APART = 64
_MIXER, _DRAWERS = np.uint64(0x9E3779B97F4A7C15), 16
# Words that are compared at once stay in the processor's cache.
_SOME = 8_192


@dataclass(frozen=True, slots=True)
class Lines:
    """Where values begin and end in a part of some bytes, a row for each place of the layout."""

    body: bytes
    first: int
    words: Words
    starts: Integers
    ends: Integers

    def sizes(self, place: int) -> Integers:
        """Return how long the values at a place are."""
        sizes: Integers = self.ends[place] - self.starts[place]
        return sizes

    def texts_at(self, places: Sequence[int], lines: NDArray[np.intp]) -> list[list[str]]:
        """Return the values at some places of some lines, a list for each line."""
        chosen = list(places)
        spans = (edges[chosen][:, lines].T + self.first for edges in (self.starts, self.ends))
        return [
            [self.body[start:end].decode("ascii") for start, end in zip(*row, strict=True)]
            for row in zip(*(span.tolist() for span in spans), strict=True)
        ]

    def texts(self, place: int) -> list[str]:
        """Return the values at a place."""
        starts, sizes = self.starts[place], self.sizes(place)
        size = int(sizes[0])
        if size <= MAX_APART and (sizes == size).all():
            # With the quotation mark that ends each.
            return self._cut(starts, size + 1).tobytes().decode("ascii").split('"')[:-1]
        part = self.body[self.first : self.first + self.words.size + WORD].decode("ascii")
        return [part[start:end] for start, end in zip(starts.tolist(), self.ends[place].tolist(), strict=True)]

    def codes(self, place: int) -> NDArray[np.uint8] | None:
        """Return the bytes of values that are all of one size, a row for each line."""
        size = int(self.sizes(place)[0])
        if not 0 < size <= MAX_APART or (self.sizes(place) != size).any():
            return None
        return self._cut(self.starts[place], size).view(np.uint8).reshape(-1, size)

    def decimals(self, places: Sequence[int]) -> tuple[Integers, Mask] | None:
        """Return the micro-units of values at some places, and which have a point, in rows; None if one is odd."""
        chosen = list(places)
        found = decimals(self.words, self.starts[chosen].reshape(-1), self.ends[chosen].reshape(-1))
        return found and (found[0].reshape(len(chosen), -1), found[1].reshape(len(chosen), -1))

    def which(self, place: int, texts: Sequence[str]) -> Codes | None:
        """Return which of some texts of at most two words each value is; None when one is none of them."""
        sizes = self.sizes(place)
        if int(sizes.max()) > 2 * WORD:
            return None
        low = self._ending(self.ends[place], sizes, 0)
        high = self._ending(self.ends[place], sizes, WORD) if int(sizes.max()) > WORD else None
        # One more than the number of the text, so that nought is none.
        found = np.zeros(sizes.size, np.int8)
        for number, text in enumerate(texts, 1):
            wanted_high, wanted_low = np.frombuffer(text.encode("ascii").rjust(2 * WORD, b"\0"), "<u8")
            if high is None and len(text) <= WORD:
                found += (low == wanted_low).view(np.int8) * np.int8(number)
            elif high is not None:
                found += ((low == wanted_low) & (high == wanted_high)).view(np.int8) * np.int8(number)
        return found - np.int8(1) if found.all() else None

    def told_apart(self, places: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
        """Return the first line of each combination of values at some places, in their order, and which each line has.

        None when a value is longer than is looked at, or when two combinations have one hash.
        """
        chosen = list(places)
        ends = self.ends[chosen]
        sizes = ends - self.starts[chosen]
        longest = sizes.max(axis=1)
        if int(longest.max()) > MAX_APART:
            return None
        columns = []
        for back in range(0, int(longest.max()), WORD):
            some = np.flatnonzero(longest > back)
            found = self._ending(ends[some], sizes[some], back)
            columns.append(found[(found != found[:, :1]).any(axis=1)])
        words = np.concatenate([np.zeros((0, sizes.shape[1]), np.uint64), *columns])
        firsts = _first_like(words)
        if (words != words[:, firsts]).any():
            return None
        is_first = firsts == np.arange(firsts.size)
        return np.flatnonzero(is_first), (np.cumsum(is_first) - 1).take(firsts)

    def _ending(self, ends: Integers, sizes: Integers, back: int) -> Words:
        """Return the words that end so many bytes before the ends of values, with zeros for what is before them."""
        # A word that would begin before the first line has nothing of a value.
        return self.words[np.maximum(ends - WORD - back, 0)] & KEPT.take(np.clip(sizes - back, 0, WORD))

    def _cut(self, starts: Integers, size: int) -> NDArray[np.void]:
        """Return so many bytes from each start."""
        count = self.words.size + WORD - size
        found: NDArray[np.void] = np.ndarray((count,), f"V{size}", self.body, self.first, (1,))[starts]
        return found


def lines_of(body: bytes, first: int, last: int, layout: Layout) -> Lines | None:
    """Return where the values of lines stand, or None when one is not of the layout, or may not be."""
    size = last - first
    if size < 2 * WORD:
        return None
    codes = np.frombuffer(body, np.uint8, size, first)
    is_break = codes == _BREAK
    breaks = int(np.count_nonzero(is_break))
    has_end = bool(codes[-1] == _BREAK)
    lines = breaks + (not has_end)
    # No other control and nothing beyond ASCII, of which the sign is negative; no quotation mark within a value.
    if np.count_nonzero(codes.view(np.int8) < _SPACE) != breaks or body.find(b"\\", first, last) >= 0:
        return None
    if np.count_nonzero(codes == _QUOTE) != lines * layout.quotes:
        return None
    is_break |= codes == _COMMA
    marks = np.flatnonzero(is_break)
    marks = marks if has_end else np.append(marks, size)
    if marks.size != lines * len(layout.values) or int(marks[0]) < WORD:
        return None
    ends = np.ascontiguousarray(marks.reshape(lines, -1).T)
    if (codes[ends[-1, :breaks]] != _BREAK).any():
        return None
    return _of_layout(Lines(body, first, words_of(body, first, last), _after(ends), ends), layout)


def _after(ends: Integers) -> Integers:
    """Return where what stands between two marks begins."""
    starts = np.empty_like(ends)
    starts[1:] = ends[:-1]
    starts[0, 1:] = ends[-1, :-1]
    starts += 1
    starts[0, 0] = 0
    return starts


def _of_layout(parts: Lines, layout: Layout) -> Lines | None:
    """Return where values stand between marks, if all that stands around them is as the layout says."""
    step = max(1, _SOME // parts.ends.shape[1])
    for edges, columns in ((parts.starts, layout.words_before), (parts.ends, layout.words_after)):
        for some in range(0, columns[0].size, step):
            place, start, bits, kept = (column[some : some + step] for column in columns)
            at = edges.take(place, axis=0) + start
            if int(at.max()) >= parts.words.size:
                return None
            found = parts.words[at]
            found ^= bits
            found &= kept
            if found.any():
                return None
    before, after = layout.around
    starts, ends = parts.starts + before, parts.ends - after
    sizes = ends - starts
    # Where the first value ends so early, the word that ends with it would begin before the first line.
    if int(sizes.min()) < 0 or int(sizes.max()) > MAX_TEXT or int(ends[0, 0]) < WORD:
        return None
    return Lines(parts.body, parts.first, parts.words, starts, ends)


def _first_like(words: Words) -> NDArray[np.intp]:
    """Return for each column the first with its hash, which nearly always is the first that equals it."""
    mixed = np.zeros(words.shape[1], np.uint64)
    for row in words:
        mixed = (mixed ^ row) * _MIXER
        mixed ^= mixed >> np.uint64(29)
    drawer = (mixed >> np.uint64(WORD * 8 - _DRAWERS)).astype(np.intp)
    first = np.empty(1 << _DRAWERS, np.intp)
    # What is written last stays.
    first[drawer[::-1]] = np.arange(drawer.size)[::-1]
    return first.take(drawer)
