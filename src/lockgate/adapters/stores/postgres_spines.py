# SPDX-License-Identifier: Apache-2.0
"""A transaction that locked some spines comes in; their apps and open slots, read in one go, go out.

A batch asks for each of them, one after another. Nobody else writes them while the transaction lasts, so that what was
read stays true until the transaction itself writes; then they are read anew.
"""

from __future__ import annotations

from lockgate.adapters.stores.packing import unpack
from lockgate.adapters.stores.postgres_reading import PostgresSnapshot, read_slot
from lockgate.core.app import App
from lockgate.core.spine import Slot

_APPS = "SELECT name, body FROM apps WHERE org = %s AND name = ANY(%s::text[])"
_OPEN = (
    "SELECT app, number, opened_at, seals_at, starts_at, sealed_at, digest FROM slots"
    " WHERE org = %s AND app = ANY(%s::text[]) AND sealed_at IS NULL ORDER BY app, number"
)


class PostgresSpines(PostgresSnapshot):
    """The spines that a transaction holds alone."""

    # Those that were named and not read yet.
    _unread: tuple[str, ...] = ()

    def app(self, name: str) -> App | None:
        """Return an app."""
        self._read_ahead()
        return self._apps[name] if name in self._apps else super().app(name)

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed."""
        self._read_ahead()
        return self._open[app][:limit] if app in self._open else super().open_slots(app, limit)

    def last_slot(self, app: str) -> Slot | None:
        """Return the last slot."""
        # Slots are sealed in the order of their numbers, so that the last one is open where any is.
        return self._open[app][-1] if self._open.get(app) else super().last_slot(app)

    def _hold(self, spines: tuple[str, ...]) -> None:
        """Take note of the spines that were locked, and of nothing that was read of others."""
        self._unread = spines
        self._apps: dict[str, App | None] = {}
        self._open: dict[str, tuple[Slot, ...]] = {}

    def _read_ahead(self) -> None:
        if not self._unread:
            return
        names, self._unread = self._unread, ()
        key = (self._org, list(names))
        apps, slots = self._carry_out([(_APPS, key), (_OPEN, key)])
        self._apps = dict.fromkeys(names) | {name: unpack(App, body) for name, body in apps.fetchall()}
        rows = slots.fetchall()
        self._open = {name: tuple(read_slot(row[1:]) for row in rows if row[0] == name) for name in names}

    def _forget(self, app: str) -> None:
        """Ask anew for the slots of an app, which are others now."""
        self._open.pop(app, None)
