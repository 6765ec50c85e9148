# SPDX-License-Identifier: Apache-2.0
"""An app and two releases come in; how many of their latest runs are there already, and since when, go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.instant import Instant
from lockgate.ports.house import House

# As many of the latest buckets are looked through: an advice must not cost what a rollout does.
LATEST = 1_440


@dataclass(frozen=True, slots=True)
class Earlier:
    """Runs of each release, and when the first of them began."""

    runs: Mapping[str, int]
    since: Instant


def earlier(app: str, releases: tuple[str, str], house: House) -> Earlier | None:
    """Return the runs of two releases that are there already; None unless both have some."""
    runs = dict.fromkeys(releases, 0)
    with house.store.reading(house.org) as seen:
        last = seen.last_slot(app)
        if last is None:
            return None
        first = max(0, last.number - LATEST)
        times = {slot.number: slot.time for slot in seen.slots(app, first - 1)}
        cells = [cell for cell in seen.cells(app, first, last.number) if cell.release in runs and cell.bucket.runs]
    for cell in cells:
        runs[cell.release] += cell.bucket.runs
    return Earlier(runs, min(times[cell.number] for cell in cells)) if all(runs.values()) else None
