# SPDX-License-Identifier: Apache-2.0
"""The apps of runs that came come in; why no rollout compares these runs goes out, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.core.evidence.sealed import Phase
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

# A batch of more apps is nobody's first; it is answered as fast as without.
MAX_APPS = 8


def run_notes(apps: Sequence[str], house: House) -> tuple[str, ...]:
    """Return of each app whose runs came just now why nothing compares them, where that is so.

    Whoever sends runs need not see rollouts, so that none is named.
    """
    if len(apps) > MAX_APPS:
        return ()
    with house.store.reading(house.org) as seen:
        return tuple(note for app in apps for note in _notes(seen, app, house.clock.now()))


def _notes(seen: Snapshot, app: str, now: int) -> Iterator[str]:
    active = seen.rollouts(app, active=True)
    if not active:
        yield f"{app} has no rollout on trial that would compare these runs"
        return
    live = [slot for slot in seen.open_slots(app) if slot.starts_at is None and not slot.is_over(now)]
    trials = [trial for trial in (seen.trial(each.id) for each in active) if trial is not None]
    if live and trials and all(trial.spans[-1].phase(live[-1]) is Phase.TRANSITION for trial in trials):
        yield (
            f"these runs of {app} are never compared: they came in the first bucket of a step, "
            "during which its traffic may still have moved"
        )
