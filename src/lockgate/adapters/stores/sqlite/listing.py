# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; pages of an organisation's rollouts, and counts, go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lockgate.adapters.stores.cell_rows import read_counts
from lockgate.adapters.stores.sqlite.rows import SqliteRowsReading
from lockgate.core.app import Release
from lockgate.core.delivery import Delivery, State
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.ports.listing import Counts, SeenReleases


class SqliteListing(SqliteRowsReading):
    """Lists as they were when the transaction began to read."""

    def rollouts_after(
        self, after: str | None, count: int, app: str | None = None, *, active: bool = False
    ) -> tuple[Rollout, ...]:
        """Return a page of rollouts."""
        where, keys = "org = ?", []
        if after is not None:
            where += " AND rowid > (SELECT rowid FROM rollouts WHERE org = ? AND id = ?)"
            keys += [self._org, after]
        if app is not None:
            where += " AND app = ?"
            keys.append(app)
        if active:
            where += " AND is_active"
        sql = f"SELECT rollout FROM rollouts WHERE {where} ORDER BY rowid LIMIT ?"  # noqa: S608 -- the conditions of the lines above
        return self._all(Rollout, sql, *keys, count)

    def seen_releases(self, app: str, most: int) -> SeenReleases:
        """Return the latest releases of an app."""
        sql = "SELECT name, first_seen_at FROM releases WHERE org = ? AND app = ?"
        latest = self._rows(f"{sql} ORDER BY first_seen_at DESC, name DESC LIMIT ?", app, most)
        ((count,),) = self._rows("SELECT count(*) FROM releases WHERE org = ? AND app = ?", app)
        return SeenReleases(
            count, tuple(Release(app=app, name=name, first_seen_at=at) for name, at in reversed(latest))
        )

    def runs_by_release(self, app: str) -> Mapping[str, int]:
        """Return the runs of each release."""
        sql = "SELECT release, sum(runs) FROM cells WHERE org = ? AND app = ? GROUP BY release"
        counted = Counter(dict(self._rows(sql, app)))
        for (runs,) in self._rows("SELECT runs FROM tallies WHERE org = ? AND app = ?", app):
            counted.update(read_counts(runs))
        return counted

    def revisions_of(self, app: str) -> int:
        """Return how often rollouts of an app changed."""
        sql = "SELECT coalesce(sum(revision), 0) FROM rollouts WHERE org = ? AND app = ?"
        ((revisions,),) = self._rows(sql, app)
        return int(revisions)

    def counts(self) -> Counts:
        """Return how much there is."""
        ended = self._rows("SELECT mode, count(*) FROM rollouts WHERE org = ? AND NOT is_active GROUP BY mode")
        states = self._rows("SELECT state, count(*) FROM deliveries WHERE org = ? GROUP BY state")
        oldest = self._one(
            Delivery,
            "SELECT d.body FROM deliveries d JOIN messages m ON m.org = d.org AND m.id = d.message"
            " WHERE d.org = ? AND d.state = ? ORDER BY m.place LIMIT 1",
            State.DUE.value,
        )
        return Counts(
            ended={Mode(mode): number for mode, number in ended},
            deliveries={State(state): number for state, number in states},
            oldest_due_at=None if oldest is None else oldest.at,
        )
