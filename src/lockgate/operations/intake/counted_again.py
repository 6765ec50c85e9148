# SPDX-License-Identifier: Apache-2.0
"""A batch of imported runs, and what was there before the import, comes in; how many may count twice goes out.

A run is known again by its id within a window of time. Of one that began before that nobody can say whether it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lockgate.core.batch import RunBatch
from lockgate.core.dedupe import Dedupe
from lockgate.core.instant import SECOND, Instant
from lockgate.core.summary import ABSENT
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# Of an app with more buckets each release that was ever named is taken to have runs.
MAX_SLOTS = 200


@dataclass(frozen=True, slots=True)
class There:
    """How an app knows runs that come again, and which releases have runs."""

    dedupe: Dedupe
    releases: frozenset[str]


def what_is_there(house: House) -> Mapping[str, There]:
    """Return every app as it is before an import."""
    with house.store.reading(house.org) as seen:
        return {app.name: There(app.dedupe, _with_runs(seen, app.name)) for app in seen.apps()}


def _with_runs(seen: Snapshot, app: str) -> frozenset[str]:
    """Return the releases of an app that have runs; `create` names some that have none yet."""
    slots = seen.slots(app, limit=MAX_SLOTS + 1)
    if len(slots) > MAX_SLOTS:
        return frozenset(each.name for each in seen.releases(app))
    return frozenset(name for slot in slots for name in seen.run_counts(app, slot.number))


def counted_again(batch: RunBatch, before: Mapping[str, There], now: Instant) -> int:
    """Return how many runs with an id began before the window, beside runs of their release that are there."""
    found = 0
    for index, group in enumerate(batch.groups):
        there = before.get(group.app)
        if there is None or there.dedupe.is_strict or group.release not in there.releases:
            continue
        began = batch.started_at
        is_old = (batch.group == index) & (began != ABSENT) & (began < now - there.dedupe.window_s * SECOND)
        found += sum(batch.ids[place] is not None for place in np.flatnonzero(is_old).tolist())
    return found
