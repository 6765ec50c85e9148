# SPDX-License-Identifier: Apache-2.0
"""A connection inside a write transaction comes in; marks of run ids stay there, and which are known goes out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

import numpy as np

from lockgate.adapters.stores.id_window import IdWindow, IdWindows, MarkRow
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading, SqliteRowsWriting
from lockgate.core.dedupe import KEY_BYTES, Dedupe, Marks
from lockgate.core.instant import SECOND, Instant
from lockgate.core.summary import Mask

_BYTES = "<i8"


class SqliteRunIdsReading(SqliteRowsReading):
    """How many runs did not count."""

    def left_out(self, app: str, release: str) -> int:
        """Return how many runs of a release did not count."""
        found = self._rows("SELECT runs FROM left_out WHERE org = ? AND app = ? AND release = ?", app, release)
        return int(found[0][0]) if found else 0


class SqliteRunIds(SqliteRowsWriting):
    """The part of a transaction that knows runs by their ids."""

    _windows: IdWindows
    # The copies that this transaction looks at, however many others push them out; and what it has added, by app.
    _held: dict[str, IdWindow]
    _own: dict[str, IdWindow]

    def id_key(self) -> bytes:
        """Return the secret of marks."""
        found = self._rows("SELECT key FROM id_keys WHERE org = ?")
        key: bytes = found[0][0] if found else secrets.token_bytes(KEY_BYTES)
        if not found:
            self._change("INSERT INTO id_keys VALUES (?, ?)", key)
        return key

    def known_ids(self, app: str, marks: Marks, dedupe: Dedupe, now: Instant) -> Mask:
        """Say which marks are known."""
        if dedupe.is_strict:
            return self._known_strictly(app, marks)
        window = self._window(app)
        if window.leave_behind(now - dedupe.window_s * SECOND):
            sql = "DELETE FROM id_window WHERE org = ? AND app = ? AND place <= ?"
            self._change(sql, app, window.floor)
        is_known = window.known(marks)
        return is_known | self._own_window(app, _last(window)).known(marks) if app in self._own else is_known

    def add_ids(self, app: str, digest: str, marks: Marks, dedupe: Dedupe, now: Instant) -> None:
        """Keep marks."""
        if dedupe.is_strict:
            self._add_strictly(app, marks, now)
            return
        sql = "INSERT INTO id_window (org, app, digest, at, marks) VALUES (?, ?, ?, ?, ?)"
        self._change(sql, app, digest, now, marks.astype(_BYTES).tobytes())
        self._own.setdefault(app, IdWindow())

    def add_left_out(self, app: str, runs: Mapping[str, int]) -> None:
        """Add to how many did not count."""
        sql = "INSERT INTO left_out VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET runs = runs + excluded.runs"
        for release, count in runs.items():
            self._change(sql, app, release, count)

    def keep_ids(self, app: str) -> None:
        """Keep the marks of the window strictly."""
        for row in self._rows_after(app, 0):
            self._add_strictly(app, row.marks, row.at)
        self._change("DELETE FROM id_window WHERE org = ? AND app = ?", app)

    def _window(self, app: str) -> IdWindow:
        if app in self._held:
            return self._held[app]
        window = self._windows.of(self._org, app)
        if app in self._own:
            # Rows of this transaction may yet be undone, and their places be taken by others: no copy outlives it.
            return window
        if not self._is_copy(app, window):
            window = self._windows.renew(self._org, app)
        window.absorb(self._rows_after(app, _last(window)))
        self._held[app] = window
        return window

    def _own_window(self, app: str, floor: int) -> IdWindow:
        """Return a copy of the rows after one, which this transaction has added."""
        if not self._is_copy(app, self._own[app]):
            # A part was undone.
            self._own[app] = IdWindow()
        own = self._own[app]
        own.absorb(self._rows_after(app, max(floor, _last(own))))
        return own

    def _is_copy(self, app: str, window: IdWindow) -> bool:
        """Say whether the newest row that is copied is still there."""
        if window.last is None:
            return True
        place, digest = window.last
        sql = "SELECT 1 FROM id_window WHERE org = ? AND place = ? AND app = ? AND digest = ?"
        return bool(self._rows(sql, place, app, digest))

    def _rows_after(self, app: str, place: int) -> list[MarkRow]:
        sql = "SELECT place, digest, at, marks FROM id_window WHERE org = ? AND app = ? AND place > ? ORDER BY place"
        rows = self._rows(sql, app, place)
        return [MarkRow(place, digest, at, np.frombuffer(marks, _BYTES)) for place, digest, at, marks in rows]

    def _known_strictly(self, app: str, marks: Marks) -> Mask:
        sql = "SELECT mark FROM strict_ids WHERE org = ? AND app = ? AND mark IN (SELECT value FROM json_each(?))"
        found = self._rows(sql, app, json.dumps(marks.tolist()))
        return np.isin(marks, np.array([mark for (mark,) in found], np.int64))

    def _add_strictly(self, app: str, marks: Marks, now: Instant) -> None:
        # In order, so that neighbours meet the same page.
        rows = [(self._org, app, mark, now) for mark in np.sort(marks).tolist()]
        self._control.executemany("INSERT OR IGNORE INTO strict_ids VALUES (?, ?, ?, ?)", rows)


def _last(window: IdWindow) -> int:
    return window.last[0] if window.last else 0
