# SPDX-License-Identifier: Apache-2.0
"""An app and two releases come in; how many of their latest runs are there already, and since when, go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.instant import Instant
from lockgate.operations.asking.latest import latest
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True)
class Earlier:
    """Runs of each release, and when the first of them began."""

    runs: Mapping[str, int]
    since: Instant


def earlier(app: str, releases: tuple[str, str], house: House) -> Earlier | None:
    """Return the runs of two releases that are there already; None unless both have some."""
    runs = dict.fromkeys(releases, 0)
    with house.store.reading(house.org) as seen:
        there = latest(seen, app)
    cells = [cell for cell in there.cells if cell.release in runs and cell.bucket.runs]
    for cell in cells:
        runs[cell.release] += cell.bucket.runs
    times = {slot.number: slot.time for slot in there.slots}
    return Earlier(runs, min(times[cell.number] for cell in cells)) if all(runs.values()) else None
