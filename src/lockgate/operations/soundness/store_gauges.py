# SPDX-License-Identifier: Apache-2.0
"""A store comes in; how much an organisation has of what a person on call looks at goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lockgate.core.delivery import State
from lockgate.core.instant import SECOND, Instant
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Status
from lockgate.operations.soundness.readiness import unsigned
from lockgate.ports.house import House

ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """How much there is: rollouts by mode and status, deliveries by state, entries of the log.

    `oldest_due_s`: how long the oldest message has waited that somebody is to be told. `laggard_s`: how long ago the
    active rollout last took a turn that has waited longest. Both are 0 where there is none. `has_keys`: whether the
    keys that are here may sign.
    """

    rollouts: Mapping[tuple[str, str], int]
    deliveries: Mapping[str, int]
    oldest_due_s: float
    laggard_s: float
    log_entries: int
    has_keys: bool = True


def store_gauges(house: House) -> Gauges:
    """Return how much there is, without reading what has ended."""
    now = house.clock.now()
    with house.store.reading(house.org) as seen:
        active, ticks, counts = seen.rollouts(active=True), seen.last_ticks(), seen.counts()
        entries = seen.tree().size
    known = Counter((each.mode.value, each.status.value) for each in active)
    going = [(mode.value, status.value) for mode in Mode for status in (Status.ACTIVE, Status.PAUSED)]
    began = {each.id: each.created_at for each in active}
    return Gauges(
        rollouts={
            **{each: known[each] for each in going},
            **{(mode.value, ENDED): counts.ended.get(mode, 0) for mode in Mode},
        },
        deliveries={state.value: counts.deliveries.get(state, 0) for state in (State.DUE, State.DEAD)},
        oldest_due_s=_since(counts.oldest_due_at, now),
        laggard_s=max((_since(at or began.get(name), now) for name, at in ticks.items()), default=0.0),
        log_entries=entries,
        has_keys=unsigned(house) is None,
    )


def _since(at: Instant | None, now: Instant) -> float:
    return 0.0 if at is None else max(0, now - at) / SECOND
