# SPDX-License-Identifier: Apache-2.0
"""Rows of marks, each of one batch, come in as they were committed; whether a mark is among them goes out.

This is a copy of rows that never change. Which of them count is read from the store in every transaction: those up to
`last`, the newest row that is copied here, as long as that row is still the same, and those after it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lockgate.core.dedupe import MAX_IDS, Marks
from lockgate.core.instant import Instant
from lockgate.core.summary import Mask

# A table has at least so many places, twice as many as marks when it is made, and is made anew when too many are taken.
SMALLEST = 1 << 12
_TAKEN, _OF = 5, 8
# So many at once stay in the processor's cache.
_BLOCK = 1 << 12
_NONE = np.zeros(0, np.int64)
# Which bits of a mark say how far it goes on from a place that is taken.
_STEP_SHIFT = 40
# Copies of so many apps are held; the one that is asked for least recently goes.
MAX_WINDOWS = 8


class MarkRow(NamedTuple):
    """The marks of one batch: its place among the rows, its digest, when it came."""

    place: int
    digest: str
    at: Instant
    marks: Marks


class _Table:
    """Marks with the place of their row, in open addressing, many at a time: marks are as good as random numbers."""

    def __init__(self, marks: Marks, rows: Marks) -> None:
        self._size = max(SMALLEST, 1 << (2 * marks.size).bit_length())
        # Side by side, because what is read together should come from memory together; no row is numbered 0.
        self._held = np.zeros((self._size, 2), np.int64)
        self._taken = 0
        self.put(marks, rows)

    def has_room(self, marks: int) -> bool:
        """Say whether so many marks more leave enough places free to be found fast."""
        return (self._taken + marks) * _OF <= self._size * _TAKEN

    def put(self, marks: Marks, rows: Marks) -> None:
        """Take marks, each with its row; one that is there is of the new row from now on."""
        self._taken += marks.size
        for start in range(0, marks.size, _BLOCK):
            self._put(marks[start : start + _BLOCK], rows[start : start + _BLOCK])

    def _put(self, marks: Marks, rows: Marks) -> None:
        at = marks & (self._size - 1)
        while marks.size:
            held = self._held.take(at, axis=0)
            may = np.flatnonzero((held[:, 1] == 0) | (held[:, 0] == marks))
            self._held[at.take(may)] = np.stack([marks.take(may), rows.take(may)], axis=1)
            # Several may have written one place, which then is of the last of them.
            left = np.flatnonzero(self._held.take(at, axis=0)[:, 0] != marks)
            marks, rows, at = marks.take(left), rows.take(left), self._next(at.take(left), marks.take(left))

    def rows_of(self, marks: Marks) -> Marks:
        """Return the row of each mark, 0 where there is none."""
        found = np.zeros(marks.size, np.int64)
        asked, at = np.arange(marks.size), marks & (self._size - 1)
        while asked.size:
            held = self._held.take(at, axis=0)
            is_it = held[:, 0] == marks
            found[asked[is_it]] = held[is_it, 1]
            left = np.flatnonzero(~is_it & (held[:, 1] != 0))
            asked, marks, at = asked.take(left), marks.take(left), self._next(at.take(left), marks.take(left))
        return found

    def after(self, floor: int) -> tuple[Marks, Marks]:
        """Return the marks of rows after one, and these."""
        marks, rows = self._held[self._held[:, 1] > floor].T
        return marks, rows

    def _next(self, at: Marks, marks: Marks) -> Marks:
        return (at + (marks >> _STEP_SHIFT | 1)) & (self._size - 1)


class IdWindow:
    """The marks of one app's window."""

    def __init__(self) -> None:
        self.last: tuple[int, str] | None = None
        # Rows up to this one are left behind.
        self.floor = 0
        self._rows: deque[tuple[int, Instant, int]] = deque()
        self._size = 0
        self._table = _Table(_NONE, _NONE)

    def absorb(self, rows: Iterable[MarkRow]) -> None:
        """Take rows after the last one, in order."""
        for row in rows:
            self._rows.append((row.place, row.at, row.marks.size))
            self._size += row.marks.size
            places = np.full(row.marks.size, row.place, np.int64)
            if self._table.has_room(row.marks.size):
                self._table.put(row.marks, places)
            else:
                before, of = self._table.after(self.floor)
                self._table = _Table(np.concatenate([before, row.marks]), np.concatenate([of, places]))
            self.last = (row.place, row.digest)

    def leave_behind(self, since: Instant) -> bool:
        """Forget rows before a time, and the oldest of more ids than are looked at; say whether any was."""
        before = self.floor
        while self._rows and (self._rows[0][1] < since or self._size - self._rows[0][2] >= MAX_IDS):
            self.floor, _, size = self._rows.popleft()
            self._size -= size
        return self.floor != before

    def known(self, marks: Marks) -> Mask:
        """Say which marks are in rows that count."""
        return self._table.rows_of(marks) > self.floor


class IdWindows:
    """The copies that a store holds, by organisation and app."""

    def __init__(self) -> None:
        self._windows: OrderedDict[tuple[str, str], IdWindow] = OrderedDict()

    def of(self, org: str, app: str) -> IdWindow:
        """Return the copy of an app's window, empty where there is none."""
        window = self._windows.setdefault((org, app), IdWindow())
        self._windows.move_to_end((org, app))
        if len(self._windows) > MAX_WINDOWS:
            self._windows.popitem(last=False)
        return window

    def renew(self, org: str, app: str) -> IdWindow:
        """Return an empty copy in place of one that is not of this store's rows."""
        self._windows[org, app] = IdWindow()
        return self._windows[org, app]
