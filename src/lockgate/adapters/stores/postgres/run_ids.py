# SPDX-License-Identifier: Apache-2.0
"""A connection inside a write transaction comes in; marks of run ids stay there, and which are known goes out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import numpy as np

from lockgate.adapters.stores.id_window import IdWindow, IdWindows, MarkRow
from lockgate.adapters.stores.postgres.ahead import MARKS_SINCE, Ahead
from lockgate.adapters.stores.postgres.ahead import Marks as MarksRead
from lockgate.adapters.stores.postgres.arrays import Longs
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading, PostgresRowsWriting
from lockgate.core.dedupe import KEY_BYTES, Dedupe, Marks
from lockgate.core.instant import SECOND, Instant
from lockgate.core.summary import Mask

_BYTES = "<i8"


class PostgresRunIdsReading(PostgresRowsReading):
    """How many runs did not count."""

    def left_out(self, app: str, release: str) -> int:
        """Return how many runs of a release did not count."""
        found = self._rows("SELECT runs FROM left_out WHERE org = %s AND app = %s AND release = %s", app, release)
        return int(found[0][0]) if found else 0


class PostgresRunIds(PostgresRowsWriting):
    """The part of a transaction that knows runs by their ids."""

    _windows: IdWindows
    _ahead: Ahead
    # The copies that this transaction looks at, however many others push them out; and what it has added, by app.
    _held: dict[str, IdWindow]
    _own: dict[str, IdWindow]

    def id_key(self) -> bytes:
        """Return the secret of marks."""
        if self._ahead.id_key is None:
            found = self._rows("SELECT key FROM id_keys WHERE org = %s")
            if not found:
                # Of two first batches, each of another app, the one that is later takes the key of the other.
                self._later(
                    "INSERT INTO id_keys VALUES (%s, %s) ON CONFLICT DO NOTHING", secrets.token_bytes(KEY_BYTES)
                )
                found = self._rows("SELECT key FROM id_keys WHERE org = %s")
            self._ahead.id_key = bytes(found[0][0])
        return self._ahead.id_key

    def known_ids(self, app: str, marks: Marks, dedupe: Dedupe, now: Instant) -> Mask:
        """Say which marks are known."""
        if dedupe.is_strict:
            return self._known_strictly(app, marks)
        window = self._window(app)
        if window.leave_behind(now - dedupe.window_s * SECOND):
            sql = "DELETE FROM id_window WHERE org = %s AND app = %s AND place <= %s"
            self._later(sql, app, window.floor)
        is_known = window.known(marks)
        return is_known | self._own[app].known(marks) if app in self._own else is_known

    def add_ids(self, app: str, digest: str, marks: Marks, dedupe: Dedupe, now: Instant) -> None:
        """Keep marks."""
        if dedupe.is_strict:
            self._add_strictly(app, marks, now)
            return
        sql = "INSERT INTO id_window (org, app, digest, at, marks) VALUES (%s, %s, %s, %s, %s)"
        self._later(sql, app, digest, now, marks.astype(_BYTES).tobytes())
        own = self._own.setdefault(app, IdWindow())
        own.absorb([MarkRow(own.place + 1, digest, now, marks)])

    def add_left_out(self, app: str, runs: Mapping[str, int]) -> None:
        """Add to how many did not count."""
        sql = (
            "INSERT INTO left_out AS l VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (org, app, release) DO UPDATE SET runs = l.runs + excluded.runs"
        )
        for release, count in runs.items():
            self._later(sql, app, release, count)

    def keep_ids(self, app: str) -> None:
        """Keep the marks of the window strictly."""
        sql = "SELECT at, marks FROM id_window WHERE org = %s AND app = %s ORDER BY place"
        for at, marks in self._rows(sql, app):
            self._add_strictly(app, np.frombuffer(marks, _BYTES), at)
        self._later("DELETE FROM id_window WHERE org = %s AND app = %s", app)
        self._look_anew()

    def _look_anew(self) -> None:
        """Ask for marks anew: of what was added, some may have been undone."""
        self._held, self._own = {}, {}

    def _window(self, app: str) -> IdWindow:
        """Return the copy of the app's window as it is now; the lock of its spine lets nobody else touch it."""
        if app in self._held:
            return self._held[app]
        window = self._windows.of(self._org, app)
        found = self._ahead.marks.pop(app, None) or self._marks_since(app, window.place)
        rows = found.rows
        if window.last is not None:
            # What was read ahead may begin before the copy's last row: another transaction of this process was first.
            after = next((number for number, row in enumerate(rows, 1) if row[:2] == window.last), None)
            if after is None:
                self._windows.renew(self._org, app)
                return self._window(app)
            rows = rows[after:]
        elif found.since:
            return self._window(app)
        window.absorb(MarkRow(place, digest, at, np.frombuffer(marks, _BYTES)) for place, digest, at, marks in rows)
        self._held[app] = window
        return window

    def _marks_since(self, app: str, place: int) -> MarksRead:
        asked = (MARKS_SINCE, (place, self._org, app, place))
        return MarksRead(place, self._carry_out([asked])[0].fetchall())

    def _known_strictly(self, app: str, marks: Marks) -> Mask:
        sql = "SELECT mark FROM strict_ids WHERE org = %s AND app = %s AND mark = ANY(%s)"
        found = self._rows(sql, app, Longs(marks))
        return np.isin(marks, np.array([mark for (mark,) in found], np.int64))

    def _add_strictly(self, app: str, marks: Marks, now: Instant) -> None:
        # In order, so that neighbours meet the same page.
        sql = "INSERT INTO strict_ids SELECT %s, %s, mark, %s FROM unnest(%s) AS mark ON CONFLICT DO NOTHING"
        self._later(sql, app, now, Longs(np.sort(marks)))
