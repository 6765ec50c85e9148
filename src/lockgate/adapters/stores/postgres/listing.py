# SPDX-License-Identifier: Apache-2.0
"""A connection inside a transaction comes in; pages of an organisation's rollouts, and counts, go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lockgate.adapters.stores.cell_rows import read_counts
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading
from lockgate.core.app import Release
from lockgate.core.delivery import Delivery, State
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.ports.listing import Counts, SeenReleases


class PostgresListing(PostgresRowsReading):
    """Lists as they are seen by the transaction."""

    def rollouts_after(
        self, after: str | None, count: int, app: str | None = None, *, active: bool = False
    ) -> tuple[Rollout, ...]:
        """Return a page of rollouts."""
        sql = (
            "SELECT rollout FROM rollouts WHERE org = %s"
            " AND (%s::text IS NULL OR place > (SELECT place FROM rollouts WHERE org = %s AND id = %s))"
            " AND (%s::text IS NULL OR app = %s) AND is_active >= %s ORDER BY place LIMIT %s"
        )
        return self._all(Rollout, sql, after, self._org, after, app, app, int(active), count)

    def seen_releases(self, app: str, most: int) -> SeenReleases:
        """Return the latest releases of an app."""
        sql = "SELECT name, first_seen_at FROM releases WHERE org = %s AND app = %s"
        latest = self._rows(f"{sql} ORDER BY first_seen_at DESC, name DESC LIMIT %s", app, most)
        ((count,),) = self._rows("SELECT count(*) FROM releases WHERE org = %s AND app = %s", app)
        return SeenReleases(
            count, tuple(Release(app=app, name=name, first_seen_at=at) for name, at in reversed(latest))
        )

    def runs_by_release(self, app: str) -> Mapping[str, int]:
        """Return the runs of each release."""
        sql = "SELECT release, sum(runs)::bigint FROM cells WHERE org = %s AND app = %s GROUP BY release"
        counted = Counter({release: int(runs) for release, runs in self._rows(sql, app)})
        for (runs,) in self._rows("SELECT runs FROM tallies WHERE org = %s AND app = %s", app):
            counted.update(read_counts(runs))
        return counted

    def revisions_of(self, app: str) -> int:
        """Return how often rollouts of an app changed."""
        sql = "SELECT coalesce(sum(revision), 0)::bigint FROM rollouts WHERE org = %s AND app = %s"
        ((revisions,),) = self._rows(sql, app)
        return int(revisions)

    def counts(self) -> Counts:
        """Return how much there is."""
        ended = self._rows("SELECT mode, count(*) FROM rollouts WHERE org = %s AND is_active = 0 GROUP BY mode")
        states = self._rows("SELECT state, count(*) FROM deliveries WHERE org = %s GROUP BY state")
        oldest = self._one(
            Delivery,
            "SELECT d.body FROM deliveries d JOIN messages m ON m.org = d.org AND m.id = d.message"
            " WHERE d.org = %s AND d.state = %s ORDER BY m.place LIMIT 1",
            State.DUE.value,
        )
        return Counts(
            ended={Mode(mode): number for mode, number in ended},
            deliveries={State(state): number for state, number in states},
            oldest_due_at=None if oldest is None else oldest.at,
        )
