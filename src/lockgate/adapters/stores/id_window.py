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

# So many marks are looked up one by one before they join the sorted ones.
MAX_RECENT = 1 << 17
# Copies of so many apps are held; the one that is asked for least recently goes.
MAX_WINDOWS = 8


class MarkRow(NamedTuple):
    """The marks of one batch: its place among the rows, its digest, when it came."""

    place: int
    digest: str
    at: Instant
    marks: Marks


class IdWindow:
    """The marks of one app's window; no mark that counts is in it twice."""

    def __init__(self) -> None:
        self.last: tuple[int, str] | None = None
        # Rows up to this one are left behind.
        self.floor = 0
        self._rows: deque[tuple[int, Instant, int]] = deque()
        self._size = 0
        self._sorted = np.zeros(0, np.int64)
        self._places = np.zeros(0, np.int64)
        self._recent: dict[int, int] = {}

    def absorb(self, rows: Iterable[MarkRow]) -> None:
        """Take rows after the last one, in order."""
        for row in rows:
            self._rows.append((row.place, row.at, row.marks.size))
            self._size += row.marks.size
            self._recent.update(dict.fromkeys(row.marks.tolist(), row.place))
            self.last = (row.place, row.digest)
            if len(self._recent) > MAX_RECENT:
                self._merge()

    def leave_behind(self, since: Instant) -> bool:
        """Forget rows before a time, and the oldest of more ids than are looked at; say whether any was."""
        before = self.floor
        while self._rows and (self._rows[0][1] < since or self._size - self._rows[0][2] >= MAX_IDS):
            self.floor, _, size = self._rows.popleft()
            self._size -= size
        return self.floor != before

    def known(self, marks: Marks) -> Mask:
        """Say which marks are in rows that count."""
        is_known = np.zeros(marks.size, np.bool_)
        if self._sorted.size:
            # Searching in order meets each part of the sorted marks once.
            order = np.argsort(marks)
            at = np.minimum(np.searchsorted(self._sorted, marks[order]), self._sorted.size - 1)
            is_known[order] = (self._sorted[at] == marks[order]) & (self._places[at] > self.floor)
        wanted = marks.tolist()
        if not self._recent.keys().isdisjoint(wanted):
            recent = (self._recent.get(mark, 0) > self.floor for mark in wanted)
            is_known |= np.fromiter(recent, np.bool_, marks.size)
        return is_known

    def _merge(self) -> None:
        counts = self._places > self.floor
        marks, places = self._sorted[counts], self._places[counts]
        recent = np.fromiter(self._recent, np.int64, len(self._recent))
        order = np.argsort(recent)
        at = np.searchsorted(marks, recent[order])
        self._sorted = np.insert(marks, at, recent[order])
        self._places = np.insert(places, at, np.fromiter(self._recent.values(), np.int64, recent.size)[order])
        self._recent = {}


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
