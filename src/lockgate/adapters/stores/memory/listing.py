# SPDX-License-Identifier: Apache-2.0
"""Tables of memory come in; pages of rollouts, and counts, go out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice

from lockgate.adapters.stores.memory.tables import MemoryTablesReading
from lockgate.core.delivery import State
from lockgate.core.rollout import Rollout
from lockgate.ports.listing import Counts, SeenReleases


class MemoryListing(MemoryTablesReading):
    """Lists of tables that nobody writes to."""

    __slots__ = ()

    def rollouts_after(
        self, after: str | None, count: int, app: str | None = None, *, active: bool = False
    ) -> tuple[Rollout, ...]:
        """Return a page of rollouts."""
        trials = self._table("trials")
        if after is not None and after not in trials:
            return ()
        names = list(trials)
        later = (trials[name].rollout for name in names[0 if after is None else names.index(after) + 1 :])
        return tuple(islice((r for r in later if app in (None, r.app) and not (active and r.is_terminal)), count))

    def revisions_of(self, app: str) -> int:
        """Return how often rollouts of an app changed."""
        return sum(each.rollout.revision for each in self._table("trials").values() if each.rollout.app == app)

    def seen_releases(self, app: str, most: int) -> SeenReleases:
        """Return the latest releases of an app."""
        found = sorted(self._table("releases", app).values(), key=lambda each: (each.first_seen_at, each.name))
        return SeenReleases(len(found), tuple(found[-most:]))

    def runs_by_release(self, app: str) -> Mapping[str, int]:
        """Return the runs of each release."""
        counted: Counter[str] = Counter()
        for number in self._table("slots", app):
            for cell in self._table(f"cells {number}", app).values():
                counted[cell.release] += cell.bucket.runs
        return counted

    def counts(self) -> Counts:
        """Return how much there is."""
        rollouts = (trial.rollout for trial in self._table("trials").values())
        deliveries = self._table("deliveries").values()
        return Counts(
            ended=Counter(each.mode for each in rollouts if each.is_terminal),
            deliveries=Counter(each.state for each in deliveries),
            oldest_due_at=min((each.at for each in deliveries if each.state is State.DUE), default=None),
        )
