# SPDX-License-Identifier: Apache-2.0
"""A transaction that locked some spines comes in; their apps, open slots and the log's end, read ahead, go out."""

from __future__ import annotations

from lockgate.adapters.stores.postgres.ahead import Ahead
from lockgate.adapters.stores.postgres.reading import PostgresSnapshot
from lockgate.core.app import App
from lockgate.core.spine import Slot


class PostgresSpines(PostgresSnapshot):
    """The spines that a transaction holds alone."""

    _ahead: Ahead

    def app(self, name: str) -> App | None:
        """Return an app."""
        return self._ahead.apps[name] if name in self._ahead.apps else super().app(name)

    def open_slots(self, app: str, limit: int | None = None) -> tuple[Slot, ...]:
        """Return the slots that are not sealed."""
        return self._ahead.open[app][:limit] if app in self._ahead.open else super().open_slots(app, limit)

    def last_slot(self, app: str) -> Slot | None:
        """Return the last slot."""
        # Slots are sealed in the order of their numbers, so that the last one is open where any is.
        return self._ahead.open[app][-1] if self._ahead.open.get(app) else super().last_slot(app)

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return a checkpoint."""
        if size is None and self._ahead.latest is not None:
            return next(iter(self._ahead.latest), None)
        return super().checkpoint(size)
