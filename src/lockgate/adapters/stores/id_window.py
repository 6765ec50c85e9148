# SPDX-License-Identifier: Apache-2.0
"""Rows of marks, each of what was kept at once, come in as they were committed; whether a mark is among them goes out.

This is a copy of rows that never change. Which of them count is read from the store in every transaction: those up to
`last`, the newest row that is copied here, as long as that row is still the same, and those after it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lockgate.core.dedupe import MAX_IDS, Marks
from lockgate.core.instant import Instant
from lockgate.core.summary import Mask

# The fewest places of a table, which is made with four times as many as it has marks, and anew when half are taken.
SMALLEST = 1 << 12
# So many at once stay in the processor's cache.
_BLOCK = 1 << 12
_NONE = np.zeros(0, np.int64)
# A mark has so many places.
_TRIES = 3
# Which bits of a mark say how far it goes on from a place that is taken.
_STEP_SHIFT = 40
# Copies of so many apps are held; the one that is asked for least recently goes.
MAX_WINDOWS = 8


class MarkRow(NamedTuple):
    """The marks of what was kept at once: its place among the rows, the digest of its first batch, when it came."""

    place: int
    digest: str
    at: Instant
    marks: Marks


class _Table:
    """Marks with the place of their row, in open addressing, many at a time: marks are as good as random numbers."""

    def __init__(self, marks: Marks, rows: Marks) -> None:
        self._size = max(SMALLEST, 1 << (4 * marks.size).bit_length())
        self._marks = np.zeros(self._size, np.int64)
        # No row is numbered 0, which stands for a free place.
        self._rows = np.zeros(self._size, np.int64)
        # Marks that found all their places taken: few, of which each would cost many at once as much as all of them.
        self._others: dict[int, int] = {}
        self._taken = 0
        self.put(marks, rows)

    def has_room(self, marks: int) -> bool:
        """Say whether so many marks more leave enough places free to be found fast."""
        return 2 * (self._taken + marks) <= self._size

    def put(self, marks: Marks, rows: Marks) -> None:
        """Take marks, each with its row; one that is there already is there again."""
        self._taken += marks.size
        for start in range(0, marks.size, _BLOCK):
            self._put(marks[start : start + _BLOCK], rows[start : start + _BLOCK])

    def _put(self, marks: Marks, rows: Marks) -> None:
        at = marks & (self._size - 1)
        for _ in range(_TRIES):
            is_free = self._rows.take(at) == 0
            free = at[is_free]
            self._marks[free], self._rows[free] = marks[is_free], rows[is_free]
            # Several may have written one place, which then is of the last of them.
            left = (~is_free | (self._marks.take(at) != marks)).nonzero()[0]
            marks, rows, at = marks.take(left), rows.take(left), self._next(at.take(left), marks.take(left))
        self._others.update(zip(marks.tolist(), rows.tolist(), strict=True))

    def known(self, marks: Marks, floor: int) -> Mask:
        """Say which marks are of a row after one."""
        is_known = np.zeros(marks.size, np.bool_)
        asked, at = np.arange(marks.size), marks & (self._size - 1)
        for _ in range(_TRIES):
            rows = self._rows.take(at)
            is_it = (self._marks.take(at) == marks) & (rows > floor)
            is_known[asked[is_it]] = True
            left = (~is_it & (rows != 0)).nonzero()[0]
            asked, marks, at = asked.take(left), marks.take(left), self._next(at.take(left), marks.take(left))
        is_known[asked] = [self._others.get(mark, 0) > floor for mark in marks.tolist()]
        return is_known

    def after(self, floor: int) -> tuple[Marks, Marks]:
        """Return the marks of rows after one, and these."""
        counts = np.flatnonzero(self._rows > floor)
        others = [(mark, row) for mark, row in self._others.items() if row > floor]
        marks, rows = np.array(others, np.int64).reshape(-1, 2).T
        return np.concatenate([self._marks.take(counts), marks]), np.concatenate([self._rows.take(counts), rows])

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

    @property
    def place(self) -> int:
        """Return the place of the newest row that is copied here; 0 where none is."""
        return 0 if self.last is None else self.last[0]

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
        return self._table.known(marks, self.floor)


class IdWindows:
    """The copies that a store holds, by organisation and app; each is used by one transaction at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: OrderedDict[tuple[str, str], IdWindow] = OrderedDict()

    def of(self, org: str, app: str) -> IdWindow:
        """Return the copy of an app's window, empty where there is none."""
        with self._lock:
            window = self._windows.setdefault((org, app), IdWindow())
            self._windows.move_to_end((org, app))
            if len(self._windows) > MAX_WINDOWS:
                self._windows.popitem(last=False)
        return window

    def renew(self, org: str, app: str) -> IdWindow:
        """Return an empty copy in place of one that is not of this store's rows."""
        window = IdWindow()
        with self._lock:
            self._windows[org, app] = window
        return window
